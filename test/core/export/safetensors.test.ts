import { describe, expect, it } from "vitest";
import { readSafetensors, SafetensorsError, writeSafetensors } from "../../../core/export/safetensors.ts";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";

/** A file with this header text and as many data bytes. */
function file(header: string, dataBytes = 0, headerLength = BigInt(new TextEncoder().encode(header).length)): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerLength, true);
  bytes.set(json, 8);
  return bytes;
}

function codeOf(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes);
  } catch (error) {
    if (error instanceof SafetensorsError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => `{"dtype":"F32","shape":[${shape}],"data_offsets":[${begin},${end}]}`;

describe("safetensors", () => {
  it("gives back what was written", () => {
    const tensors = new Map<string, Tensor>([
      ["flag", tensorOf("bool", [3], [1, 0, 1])],
      ["fc.weight", tensorOf("float32", [2, 3], [1, -2, 3.5, 0, 1e-30, 5])],
      ["bn.num_batches_tracked", tensorOf("int64", [], [9])],
      ["10", tensorOf("uint8", [0, 4], [])],
      ["__proto__", tensorOf("uint8", [1], [255])],
    ]);
    const { tensors: read, metadata } = readSafetensors(writeSafetensors(tensors, { format: "pt" }));
    expect(metadata).toEqual({ format: "pt" });
    expect(new Map([...read].sort())).toEqual(new Map([...tensors].sort()));
  });

  it("reads a Buffer from shared memory as it reads its own copy", () => {
    const tensors = new Map<string, Tensor>([["w", tensorOf("float32", [2], [1.5, -2])]]);
    const bytes = Buffer.concat([Buffer.alloc(13), writeSafetensors(tensors)]).subarray(13);
    expect(readSafetensors(bytes).tensors).toEqual(tensors);
  });

  it("aligns every tensor to its element's size", () => {
    const bytes = writeSafetensors(
      new Map<string, Tensor>([
        ["a", tensorOf("uint8", [3], [1, 2, 3])],
        ["b", tensorOf("int64", [1], [4])],
        ["c", tensorOf("float32", [1], [5])],
      ]),
    );
    expect(new TextDecoder().decode(bytes.subarray(8))).toContain('"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}');
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it("takes only what is asked for, and leaves the dtypes of the rest alone", () => {
    const bytes = file(`{"half":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"w":${f32(4, 8)}}`, 8);
    expect([...readSafetensors(bytes, { only: (name) => name === "w" }).tensors.keys()]).toEqual(["w"]);
    expect(codeOf(bytes)).toMatch(/ST_DTYPE: Tensor "half" has the dtype BF16/);
  });

  it.each([
    ["fewer than 8 bytes", new Uint8Array(7), /ST_HEADER/],
    ["a header length of 2^63", file("{}", 0, 2n ** 63n), /ST_HEADER: The header says it is 9223372036854775808 bytes long; the limit/],
    ["a header longer than the file", file("{}", 0, 100n), /ST_HEADER: .*only 2 follow/],
    ["a header that does not begin with {", file(" {}"), /ST_HEADER/],
    ["a header that is not JSON", file("{nonsense}"), /ST_HEADER/],
    ["a header that is not UTF-8", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /ST_HEADER/],
    ["doubled tensor names", file(`{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 4), /ST_HEADER: The header names "a" twice/],
    ["doubled names, one written with an escape", file(`{"a":${f32(0, 4)},"\\u0061":${f32(0, 4)}}`, 4), /ST_HEADER: The header names "a" twice/],
    ["a doubled key within a tensor", file(`{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), /ST_HEADER: The header names "dtype" twice/],
    ["metadata that is not text", file(`{"__metadata__":{"epoch":3}}`), /ST_HEADER/],
    ["a negative size", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), /ST_HEADER/],
    ["a size that is no whole number", file(`{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}`, 2), /ST_HEADER/],
    ["an unknown key", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"path":"/etc/passwd"}}`, 4), /ST_HEADER/],
    ["overlapping tensors", file(`{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, 12), /ST_OFFSETS: Tensor "b" lies at bytes 4 to 12, but must begin at 8/],
    ["a hole", file(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12), /ST_OFFSETS: Tensor "b"/],
    ["a hole at the start", file(`{"a":${f32(4, 8)}}`, 8), /ST_OFFSETS/],
    ["offsets beyond the file", file(`{"a":${f32(0, 400)}}`, 8), /ST_OFFSETS: Tensor "a" ends at byte/],
    ["an end before its begin", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}`, 4), /ST_OFFSETS/],
    ["bytes that belong to no tensor", file(`{"a":${f32(0, 4)}}`, 5), /ST_OFFSETS/],
    ["a shape that needs more bytes", file(`{"a":${f32(0, 4, [2])}}`, 4), /ST_SHAPE: Tensor "a" of shape \[2\] and dtype F32 needs 8 bytes, but has 4/],
    ["a shape whose product overflows 64 bits", file(`{"a":${f32(0, 0, [2 ** 32, 2 ** 32])}}`), /ST_SHAPE/],
    ["a dtype that does not exist", file(`{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}`, 4), /ST_DTYPE/],
  ])("refuses %s", (_, bytes, answer) => {
    expect(codeOf(bytes)).toMatch(answer);
  });

  it("does not mind a header of many escapes and long names", () => {
    const name = `${"\\\\".repeat(50_000)}\\"{:`;
    expect(codeOf(file(`{"${name}":${f32(0, 4)}}`, 4))).toBe("accepted");
  });
});

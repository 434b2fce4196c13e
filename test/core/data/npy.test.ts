import { describe, expect, it } from "vitest";
import { encodeNpy, NpyError, readNpyHeader } from "../../../core/data/npy.ts";

const encoded = (text: string, dataBytes = 0): Uint8Array => {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(10 + header.length + dataBytes);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(header, 10);
  return bytes;
};
const codeOf = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof NpyError) return error.code;
    throw error;
  }
  return "accepted";
};

describe("npy", () => {
  it("what is written reads back, with the numbers on a 64-byte boundary", () => {
    const bytes = encodeNpy("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    const header = readNpyHeader(bytes, bytes.length);
    expect(header).toEqual({ dtype: "float32", shape: [2, 3], offset: header.offset });
    expect(header.offset % 64).toBe(0);
    expect(Array.from(new Float32Array(bytes.buffer, header.offset))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([[[]], [[7]], [[1, 28, 28]]])("keeps the shape %j", (shape) => {
    const count = shape.reduce((product: number, size: number) => product * size, 1);
    expect(readNpyHeader(encodeNpy("uint8", shape, new Uint8Array(count))).shape).toEqual(shape);
  });

  it.each([
    ["a pickled object array", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", "NPY_DTYPE"],
    ["a structured array", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "NPY_DTYPE"],
    ["big-endian numbers", "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", "NPY_DTYPE"],
    ["Fortran order", "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", "NPY_HEADER"],
    ["code in the header", "{'descr': __import__('os').name, 'fortran_order': False, 'shape': (1,), }\n", "NPY_HEADER"],
    ["a negative size", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "NPY_HEADER"],
    ["a product beyond counting", "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616, 2), }\n", "NPY_HEADER"],
    ["forty axes", `{'descr': '<f4', 'fortran_order': False, 'shape': (${"1, ".repeat(40)}), }\n`, "NPY_HEADER"],
    ["4 GiB that are not there", "{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 16384), }\n", "NPY_SIZE"],
  ])("refuses %s", (_, text, code) => {
    const bytes = encoded(text);
    expect(codeOf(() => readNpyHeader(bytes, bytes.length))).toBe(code);
  });

  it("refuses a header that claims more than the limit, without reading it", () => {
    const bytes = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255);
    expect(codeOf(() => readNpyHeader(bytes))).toBe("NPY_HEADER");
  });
});

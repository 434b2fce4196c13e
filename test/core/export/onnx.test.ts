import { InferenceSession } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { readOnnxMetadata, setOnnxMetadata } from "../../../core/export/onnx-proto.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { makeCase } from "../../parity/cases.ts";

const graph = findTemplate("lenet5")?.graph ?? chain([]);
const { weights } = makeCase("onnx", graph, []);
const model = exportOnnx(graph, weights, { classes: ["0", "1"], metadata: { licence: "CC0 1.0", größe: "7 µm" } });

describe("an ONNX file", () => {
  it("is the same, byte for byte, each time it is made", () => {
    expect(exportOnnx(graph, weights, { classes: ["0", "1"], metadata: { licence: "CC0 1.0", größe: "7 µm" } })).toEqual(model);
  });
  it("keeps its metadata, and takes more without a change to the rest", async () => {
    const { "tensorloom.onnx_hash": hash, ...said } = readOnnxMetadata(model);
    const document = { "tensorloom.graph": JSON.stringify(graph) };
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(said).toEqual({ ...document, "tensorloom.classes": '["0","1"]', licence: "CC0 1.0", größe: "7 µm" });
    const reported = setOnnxMetadata(model, { "tensorloom.parity": "{}", licence: "MIT" });
    expect(readOnnxMetadata(reported)).toEqual({
      ...document,
      "tensorloom.onnx_hash": hash,
      "tensorloom.classes": '["0","1"]',
      größe: "7 µm",
      "tensorloom.parity": "{}",
      licence: "MIT",
    });
    expect(setOnnxMetadata(setOnnxMetadata(model, { a: "1" }), { a: "2" })).toEqual(setOnnxMetadata(model, { a: "2" }));
    expect((await InferenceSession.create(reported)).inputNames).toEqual(["x"]);
  });
  it("carries every weight by its state_dict name", () => {
    const text = new TextDecoder("latin1").decode(model);
    for (const name of weights.keys()) expect(text).toContain(name);
  });
});

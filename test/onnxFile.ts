import { encodeOnnx, type OnnxGraph, type OnnxModel, type OnnxNode } from "../core/export/onnx-proto.ts";

const input = { name: "x", dtype: "float32" as const, shape: ["N", 4] };

/** A node, named by its operator and its first output. */
export const onnxNode = (op: string, inputs: string[], outputs: string[], attributes: OnnxNode["attributes"] = []): OnnxNode => ({
  name: `${op}_${outputs[0]}`,
  op,
  inputs,
  outputs,
  attributes,
});

/** An ONNX file as others might write it: [N, 4] in and out, without nodes, but for what is said. */
export function onnxFile(graph: Partial<OnnxGraph>, rest: Partial<OnnxModel> = {}): Uint8Array {
  return encodeOnnx({
    irVersion: 10,
    opset: 21,
    producer: "",
    producerVersion: "",
    doc: "",
    metadata: {},
    graph: { name: "g", nodes: [], initializers: [], inputs: [input], outputs: [{ name: "y", dtype: "float32", shape: ["N", 4] }], ...graph },
    ...rest,
  });
}

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Dtype, Shape } from "../graph/shape.ts";

/**
 * The part of ONNX's file format that we write, as plain data, with its encoding. Fields that we never set are absent.
 * Written by hand over the wire writer: the full schema would bring a hundred times the code for the same bytes.
 * @see https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto
 */

/** `TensorProto`: an initializer or a constant. `bytes` are little-endian. */
export type OnnxTensor = { name: string; dtype: Dtype; shape: number[]; bytes: Uint8Array };

/** `ValueInfoProto` of a tensor. Text sizes are written as `dim_param`. */
type OnnxValueInfo = { name: string; dtype: Dtype; shape: Shape };

export type OnnxAttributeValue =
  | { int: number }
  | { ints: number[] }
  | { float: number }
  | { floats: number[] }
  | { text: string }
  | { texts: string[] }
  | { tensor: OnnxTensor }
  | { graph: OnnxGraph };

/** `NodeProto`. An empty input name is an input left out. */
export type OnnxNode = { name: string; op: string; inputs: string[]; outputs: string[]; attributes: { name: string; value: OnnxAttributeValue }[]; doc?: string };

/** `GraphProto`: the model's, or a branch or loop body. */
export type OnnxGraph = { name: string; nodes: OnnxNode[]; initializers: OnnxTensor[]; inputs: OnnxValueInfo[]; outputs: OnnxValueInfo[] };

export type OnnxModel = { irVersion: number; opset: number; producer: string; producerVersion: string; doc: string; graph: OnnxGraph; metadata: { [key: string]: string } };

/** `TensorProto.DataType`, also what the attribute `to` of Cast means. */
export const ONNX_DTYPES: Record<Dtype, number> = { float32: 1, uint8: 2, int64: 7, bool: 9 };

/** `AttributeProto.AttributeType` */
const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, tensor: 4, graph: 5, floats: 6, ints: 7, texts: 8 } as const;

/** `ModelProto.metadata_props` */
const METADATA_FIELD = 14;

export function encodeOnnx(model: OnnxModel): Uint8Array {
  const w = new BinaryWriter();
  w.tag(1, WireType.Varint).int64(model.irVersion);
  w.tag(2, WireType.LengthDelimited).string(model.producer);
  w.tag(3, WireType.LengthDelimited).string(model.producerVersion);
  w.tag(6, WireType.LengthDelimited).string(model.doc);
  message(w, 7, () => writeGraph(w, model.graph));
  message(w, 8, () => w.tag(2, WireType.Varint).int64(model.opset));
  writeMetadata(w, model.metadata);
  return w.finish();
}

/** The key-value pairs in a model's `metadata_props`. */
export function readOnnxMetadata(model: Uint8Array): { [key: string]: string } {
  return Object.fromEntries(metadataEntries(model).map(({ key, value }) => [key, value]));
}

/**
 * The same model with these `metadata_props` set; all other bytes stay as they are. A protobuf message may carry its repeated
 * fields anywhere, so the new pairs are appended and only pairs of the same key are cut out.
 */
export function setOnnxMetadata(model: Uint8Array, metadata: { [key: string]: string }): Uint8Array {
  const w = new BinaryWriter();
  let kept = 0;
  for (const { key, start, end } of metadataEntries(model)) {
    if (!Object.hasOwn(metadata, key)) continue;
    w.raw(model.subarray(kept, start));
    kept = end;
  }
  w.raw(model.subarray(kept));
  writeMetadata(w, metadata);
  return w.finish();
}

function metadataEntries(model: Uint8Array): { key: string; value: string; start: number; end: number }[] {
  const entries: { key: string; value: string; start: number; end: number }[] = [];
  const reader = new BinaryReader(model);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    if (field !== METADATA_FIELD) {
      reader.skip(wire, field);
      continue;
    }
    const entry = new BinaryReader(reader.bytes());
    let key = "";
    let value = "";
    while (entry.pos < entry.len) {
      const [part, partWire] = entry.tag();
      if (part === 1) key = entry.string();
      else if (part === 2) value = entry.string();
      else entry.skip(partWire, part);
    }
    entries.push({ key, value, start, end: reader.pos });
  }
  return entries;
}

function message(w: BinaryWriter, field: number, write: () => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write();
  w.join();
}

function writeMetadata(w: BinaryWriter, metadata: { [key: string]: string }): void {
  for (const [key, value] of Object.entries(metadata)) {
    message(w, METADATA_FIELD, () => {
      w.tag(1, WireType.LengthDelimited).string(key);
      w.tag(2, WireType.LengthDelimited).string(value);
    });
  }
}

function writeGraph(w: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(w, 1, () => writeNode(w, node));
  w.tag(2, WireType.LengthDelimited).string(graph.name);
  for (const tensor of graph.initializers) message(w, 5, () => writeTensor(w, tensor));
  for (const input of graph.inputs) message(w, 11, () => writeValueInfo(w, input));
  for (const output of graph.outputs) message(w, 12, () => writeValueInfo(w, output));
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) w.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) w.tag(2, WireType.LengthDelimited).string(output);
  w.tag(3, WireType.LengthDelimited).string(node.name);
  w.tag(4, WireType.LengthDelimited).string(node.op);
  for (const { name, value } of node.attributes) message(w, 5, () => writeAttribute(w, name, value));
  if (node.doc) w.tag(6, WireType.LengthDelimited).string(node.doc);
}

function writeAttribute(w: BinaryWriter, name: string, value: OnnxAttributeValue): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  let type: number;
  if ("float" in value) {
    w.tag(2, WireType.Bit32).float(value.float);
    type = ATTRIBUTE_TYPES.float;
  } else if ("int" in value) {
    w.tag(3, WireType.Varint).int64(value.int);
    type = ATTRIBUTE_TYPES.int;
  } else if ("texts" in value) {
    for (const text of value.texts) w.tag(9, WireType.LengthDelimited).string(text);
    type = ATTRIBUTE_TYPES.texts;
  } else if ("text" in value) {
    w.tag(4, WireType.LengthDelimited).string(value.text);
    type = ATTRIBUTE_TYPES.text;
  } else if ("tensor" in value) {
    message(w, 5, () => writeTensor(w, value.tensor));
    type = ATTRIBUTE_TYPES.tensor;
  } else if ("graph" in value) {
    message(w, 6, () => writeGraph(w, value.graph));
    type = ATTRIBUTE_TYPES.graph;
  } else if ("floats" in value) {
    for (const float of value.floats) w.tag(7, WireType.Bit32).float(float);
    type = ATTRIBUTE_TYPES.floats;
  } else {
    for (const int of value.ints) w.tag(8, WireType.Varint).int64(int);
    type = ATTRIBUTE_TYPES.ints;
  }
  w.tag(20, WireType.Varint).int32(type);
}

function writeTensor(w: BinaryWriter, tensor: OnnxTensor): void {
  for (const size of tensor.shape) w.tag(1, WireType.Varint).int64(size);
  w.tag(2, WireType.Varint).int32(ONNX_DTYPES[tensor.dtype]);
  w.tag(8, WireType.LengthDelimited).string(tensor.name);
  w.tag(9, WireType.LengthDelimited).bytes(tensor.bytes);
}

function writeValueInfo(w: BinaryWriter, { name, dtype, shape }: OnnxValueInfo): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  message(w, 2, () =>
    message(w, 1, () => {
      w.tag(1, WireType.Varint).int32(ONNX_DTYPES[dtype]);
      message(w, 2, () => {
        for (const size of shape) {
          message(w, 1, () => {
            if (typeof size === "number") w.tag(1, WireType.Varint).int64(size);
            else w.tag(2, WireType.LengthDelimited).string(size);
          });
        }
      });
    }),
  );
}

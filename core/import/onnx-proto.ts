import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { say } from "../language/say.ts";

/**
 * Reads ONNX's file format as anybody may have written it, into plain data. Strict about what could hurt (depth, ranks, sizes that
 * do not match their bytes, data outside the file) and about nothing else: what the operators mean is decided by `onnx.ts`.
 * @see https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto
 */

export type OnnxCode =
  | "ONNX_PARSE"
  | "ONNX_TOO_LARGE"
  | "ONNX_VERSION"
  | "ONNX_EXTERNAL_DATA"
  | "ONNX_FUNCTIONS"
  | "ONNX_TENSOR_SIZE"
  | "ONNX_TENSOR_TYPE"
  | "ONNX_RANK"
  | "ONNX_DEPTH"
  | "ONNX_ATTRIBUTE"
  | "ONNX_GRAPH"
  | "ONNX_UNSUPPORTED_OP";

/** The file is not sound ONNX, or holds what is refused whatever the operators. The message says where and what is wrong. */
export class OnnxError extends Error {
  readonly code: OnnxCode;
  constructor(code: OnnxCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OnnxError";
    this.code = code;
  }
}

export const ONNX_LIMITS = {
  fileBytes: 512 * 2 ** 20,
  /** Sub-graphs within sub-graphs, as ONNX Runtime. */
  depth: 32,
  rank: 16,
  nodeCount: 50_000,
} as const;

/** A tensor as it lies in the file. `data` holds little-endian elements of `dtype`, or numbers from one of the typed fields. */
export type FileTensor = { name: string; type: number; shape: number[]; raw: Uint8Array | null; numbers: number[] | bigint[] };
/** `null` sizes are not given. */
export type FileValue = { name: string; type: number | null; shape: (number | string | null)[] | null };
export type FileAttribute = { float?: number; int?: number; text?: Uint8Array; tensor?: FileTensor; graph?: FileGraph; floats?: number[]; ints?: number[]; texts?: Uint8Array[] };
export type FileNode = { name: string; op: string; domain: string; inputs: string[]; outputs: string[]; attributes: Map<string, FileAttribute> };
export type FileGraph = { name: string; nodes: FileNode[]; initializers: FileTensor[]; inputs: FileValue[]; outputs: FileValue[] };
export type FileModel = { irVersion: number; opsets: Map<string, number>; producer: string; graph: FileGraph; metadata: Map<string, string> };

/** Bytes of one element by `TensorProto.DataType`; types without an entry are not taken. */
export const ONNX_TYPES: { [type: number]: { name: string; sizeBytes: number } } = {
  1: { name: "float32", sizeBytes: 4 },
  2: { name: "uint8", sizeBytes: 1 },
  3: { name: "int8", sizeBytes: 1 },
  4: { name: "uint16", sizeBytes: 2 },
  5: { name: "int16", sizeBytes: 2 },
  6: { name: "int32", sizeBytes: 4 },
  7: { name: "int64", sizeBytes: 8 },
  9: { name: "bool", sizeBytes: 1 },
  10: { name: "float16", sizeBytes: 2 },
  11: { name: "float64", sizeBytes: 8 },
  12: { name: "uint32", sizeBytes: 4 },
  13: { name: "uint64", sizeBytes: 8 },
  16: { name: "bfloat16", sizeBytes: 2 },
};

/** @throws OnnxError and nothing else, whatever the bytes */
export function readOnnx(file: Uint8Array): FileModel {
  if (file.length > ONNX_LIMITS.fileBytes) {
    throw new OnnxError(
      "ONNX_TOO_LARGE",
      say("The file has {length} bytes; up to {value} MiB are read. Take the weights out into a safetensors file.", {
        length: file.length,
        value: ONNX_LIMITS.fileBytes / 2 ** 20,
      }),
    );
  }
  try {
    return readModel(new BinaryReader(file), { nodeCount: 0 });
  } catch (error) {
    if (error instanceof OnnxError) throw error;
    throw new OnnxError("ONNX_PARSE", say("This is not an ONNX file, or it is cut off: its bytes are not the protobuf message that every ONNX file is."), { cause: error });
  }
}

/** A walk over the fields of one message; `take` reads the fields it knows and says false of the others, which are passed over. */
function readFields(reader: BinaryReader, take: (field: number, wire: WireType) => boolean): void {
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!take(field, wire)) reader.skip(wire, field);
  }
}

type Count = { nodeCount: number };

function readModel(reader: BinaryReader, count: Count): FileModel {
  const model: FileModel = { irVersion: 0, opsets: new Map(), producer: "", graph: { name: "", nodes: [], initializers: [], inputs: [], outputs: [] }, metadata: new Map() };
  let hasGraph = false;
  readFields(reader, (field, wire) => {
    if (field === 1 && wire === WireType.Varint) model.irVersion = whole(reader.int64());
    else if (field === 2 && wire === WireType.LengthDelimited) model.producer = reader.string();
    else if (field === 7 && wire === WireType.LengthDelimited) {
      model.graph = readGraph(message(reader), 1, count);
      hasGraph = true;
    } else if (field === 8 && wire === WireType.LengthDelimited) {
      let domain = "";
      let version = 0;
      const opset = message(reader);
      readFields(opset, (part, partWire) => {
        if (part === 1 && partWire === WireType.LengthDelimited) domain = opset.string();
        else if (part === 2 && partWire === WireType.Varint) version = whole(opset.int64());
        else return false;
        return true;
      });
      model.opsets.set(domain === "ai.onnx" ? "" : domain, version);
    } else if (field === 14 && wire === WireType.LengthDelimited) {
      const entry = message(reader);
      let key = "";
      let value = "";
      readFields(entry, (part, partWire) => {
        if (part === 1 && partWire === WireType.LengthDelimited) key = entry.string();
        else if (part === 2 && partWire === WireType.LengthDelimited) value = entry.string();
        else return false;
        return true;
      });
      model.metadata.set(key, value);
    } else if (field === 25) {
      throw new OnnxError(
        "ONNX_FUNCTIONS",
        say("The file defines operators of its own (model-local functions). Export it with them written out: onnx.inliner.inline_local_functions(model)."),
      );
    } else return false;
    return true;
  });
  if (!hasGraph || model.irVersion < 1) throw new OnnxError("ONNX_PARSE", say("This is not an ONNX file: it has no graph in it."));
  return model;
}

function readGraph(reader: BinaryReader, depth: number, count: Count): FileGraph {
  if (depth > ONNX_LIMITS.depth) throw new OnnxError("ONNX_DEPTH", say("Graphs are nested deeper than {depth} levels, which is the limit.", { depth: ONNX_LIMITS.depth }));
  const graph: FileGraph = { name: "", nodes: [], initializers: [], inputs: [], outputs: [] };
  readFields(reader, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) {
      if (++count.nodeCount > ONNX_LIMITS.nodeCount)
        throw new OnnxError("ONNX_TOO_LARGE", say("The file has more than {nodeCount} nodes, which is the limit.", { nodeCount: ONNX_LIMITS.nodeCount }));
      graph.nodes.push(readNode(message(reader), depth, count));
    } else if (field === 2) graph.name = reader.string();
    else if (field === 5) graph.initializers.push(readTensor(message(reader)));
    else if (field === 11) graph.inputs.push(readValue(message(reader)));
    else if (field === 12) graph.outputs.push(readValue(message(reader)));
    else if (field === 15) throw new OnnxError("ONNX_TENSOR_TYPE", say("The file has sparse initializers; save its weights as plain tensors."));
    else return false;
    return true;
  });
  return graph;
}

function readNode(reader: BinaryReader, depth: number, count: Count): FileNode {
  const node: FileNode = { name: "", op: "", domain: "", inputs: [], outputs: [], attributes: new Map() };
  readFields(reader, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) node.inputs.push(reader.string());
    else if (field === 2) node.outputs.push(reader.string());
    else if (field === 3) node.name = reader.string();
    else if (field === 4) node.op = reader.string();
    else if (field === 5) {
      const [name, attribute] = readAttribute(message(reader), depth, count);
      if (node.attributes.has(name)) throw new OnnxError("ONNX_ATTRIBUTE", say("Node {name} has the attribute {name2} twice.", { name: quote(node.name), name2: quote(name) }));
      node.attributes.set(name, attribute);
    } else if (field === 7) node.domain = reader.string();
    else return false;
    return true;
  });
  if (node.domain === "ai.onnx") node.domain = "";
  return node;
}

function readAttribute(reader: BinaryReader, depth: number, count: Count): [string, FileAttribute] {
  let name = "";
  const attribute: FileAttribute = {};
  readFields(reader, (field, wire) => {
    if (field === 1 && wire === WireType.LengthDelimited) name = reader.string();
    else if (field === 2 && wire === WireType.Bit32) attribute.float = reader.float();
    else if (field === 3 && wire === WireType.Varint) attribute.int = whole(reader.int64());
    else if (field === 4 && wire === WireType.LengthDelimited) attribute.text = reader.bytes();
    else if (field === 5 && wire === WireType.LengthDelimited) attribute.tensor = readTensor(message(reader));
    else if (field === 6 && wire === WireType.LengthDelimited) attribute.graph = readGraph(message(reader), depth + 1, count);
    else if (field === 7) {
      attribute.floats ??= [];
      append(
        attribute.floats,
        several(reader, wire, WireType.Bit32, (r) => r.float()),
      );
    } else if (field === 8) {
      attribute.ints ??= [];
      append(
        attribute.ints,
        several(reader, wire, WireType.Varint, (r) => whole(r.int64())),
      );
    } else if (field === 9 && wire === WireType.LengthDelimited) {
      attribute.texts ??= [];
      attribute.texts.push(reader.bytes());
    } else return false;
    return true;
  });
  return [name, attribute];
}

function readTensor(reader: BinaryReader): FileTensor {
  const tensor: FileTensor = { name: "", type: 0, shape: [], raw: null, numbers: [] };
  let isExternal = false;
  const numbers: number[] = [];
  const bigints: bigint[] = [];
  readFields(reader, (field, wire) => {
    if (field === 1) {
      for (const size of several(reader, wire, WireType.Varint, (r) => whole(r.int64()))) tensor.shape.push(size);
      if (tensor.shape.length > ONNX_LIMITS.rank) throw new OnnxError("ONNX_RANK", say("A tensor has more than {rank} axes, which is the limit.", { rank: ONNX_LIMITS.rank }));
    } else if (field === 2 && wire === WireType.Varint) tensor.type = reader.int32();
    else if (field === 3) throw new OnnxError("ONNX_TENSOR_TYPE", say("The file holds tensors in segments; save it whole."));
    else if (field === 4)
      append(
        numbers,
        several(reader, wire, WireType.Bit32, (r) => r.float()),
      );
    else if (field === 5)
      append(
        numbers,
        several(reader, wire, WireType.Varint, (r) => r.int32()),
      );
    else if (field === 7)
      append(
        bigints,
        several(reader, wire, WireType.Varint, (r) => BigInt(r.int64())),
      );
    else if (field === 8 && wire === WireType.LengthDelimited) tensor.name = reader.string();
    else if (field === 9 && wire === WireType.LengthDelimited) tensor.raw = reader.bytes();
    else if (field === 10)
      append(
        numbers,
        several(reader, wire, WireType.Bit64, (r) => r.double()),
      );
    else if (field === 11)
      append(
        bigints,
        several(reader, wire, WireType.Varint, (r) => BigInt(r.uint64())),
      );
    else if (field === 13) {
      isExternal = true;
      return false;
    } else if (field === 14 && wire === WireType.Varint) isExternal = reader.int32() === 1 || isExternal;
    else return false;
    return true;
  });
  if (isExternal) {
    throw new OnnxError(
      "ONNX_EXTERNAL_DATA",
      say('The weights of {name} lie in another file. Save the model in one file: onnx.save(onnx.load("model.onnx"), "whole.onnx", save_as_external_data=False).', {
        name: quote(tensor.name),
      }),
    );
  }
  tensor.numbers = bigints.length > 0 ? bigints : numbers;
  checkTensor(tensor);
  return tensor;
}

/** A tensor's shape and bytes must agree, computed so that no product of sizes can overflow. */
function checkTensor({ name, type, shape, raw, numbers }: FileTensor): void {
  const known = ONNX_TYPES[type];
  if (!known)
    throw new OnnxError(
      "ONNX_TENSOR_TYPE",
      say("The tensor {name} is of the type {type}; numbers and truth values are taken, texts and packed types are not.", { name: quote(name), type }),
    );
  let count = 1;
  for (const size of shape) {
    if (size < 0) throw new OnnxError("ONNX_TENSOR_SIZE", say("The tensor {name} has a negative size: [{shape}].", { name: quote(name), shape: shape.join(", ") }));
    count *= size;
    if (count > ONNX_LIMITS.fileBytes)
      throw new OnnxError("ONNX_TENSOR_SIZE", say("The tensor {name} claims [{shape}], which no file of this size can hold.", { name: quote(name), shape: shape.join(", ") }));
  }
  // float16 and bfloat16 stand one by one in int32_data.
  const given = raw === null ? numbers.length : raw.length / known.sizeBytes;
  if (given !== count) {
    throw new OnnxError(
      "ONNX_TENSOR_SIZE",
      say("The tensor {name} of shape [{shape}] needs {count} numbers of {name2}, but holds {given}.", {
        name: quote(name),
        shape: shape.join(", "),
        count,
        name2: known.name,
        given: Math.floor(given),
      }),
    );
  }
}

function readValue(reader: BinaryReader): FileValue {
  const value: FileValue = { name: "", type: null, shape: null };
  readFields(reader, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) value.name = reader.string();
    else if (field === 2) {
      const type = message(reader);
      readFields(type, (part, partWire) => {
        if (part !== 1 || partWire !== WireType.LengthDelimited) return false;
        const tensor = message(type);
        readFields(tensor, (tensorPart, tensorWire) => {
          if (tensorPart === 1 && tensorWire === WireType.Varint) value.type = tensor.int32();
          else if (tensorPart === 2 && tensorWire === WireType.LengthDelimited) value.shape = readShape(message(tensor));
          else return false;
          return true;
        });
        return true;
      });
    } else return false;
    return true;
  });
  return value;
}

function readShape(reader: BinaryReader): (number | string | null)[] {
  const shape: (number | string | null)[] = [];
  readFields(reader, (field, wire) => {
    if (field !== 1 || wire !== WireType.LengthDelimited) return false;
    if (shape.length >= ONNX_LIMITS.rank) throw new OnnxError("ONNX_RANK", say("An input or output has more than {rank} axes, which is the limit.", { rank: ONNX_LIMITS.rank }));
    const dim = message(reader);
    let size: number | string | null = null;
    readFields(dim, (part, partWire) => {
      if (part === 1 && partWire === WireType.Varint) size = whole(dim.int64());
      else if (part === 2 && partWire === WireType.LengthDelimited) size = dim.string();
      else return false;
      return true;
    });
    shape.push(size);
    return true;
  });
  return shape;
}

function message(reader: BinaryReader): BinaryReader {
  return new BinaryReader(reader.bytes());
}

/** A repeated number: packed into one field or standing alone. */
function several<T>(reader: BinaryReader, wire: WireType, single: WireType, read: (reader: BinaryReader) => T): T[] {
  if (wire === single) return [read(reader)];
  if (wire !== WireType.LengthDelimited) throw new OnnxError("ONNX_PARSE", say("A list of numbers in the file is written as something else."));
  const packed = message(reader);
  const values: T[] = [];
  while (packed.pos < packed.len) values.push(read(packed));
  return values;
}

/** Not `push(...values)`: a weight has more numbers than a call may have arguments. */
function append<T>(list: T[], values: T[]): void {
  for (const value of values) list.push(value);
}

function whole(value: bigint | string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    // Exporters write the greatest and least int64 for "to the end" and "from the end".
    return number > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  }
  return number;
}

/** A name as it may be shown: short, in quotes, with control characters escaped. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

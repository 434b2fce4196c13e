import type { FileAttribute, FileGraph, FileTensor } from "./onnx-proto.ts";

/** Keys of `metadata_props` under which an export keeps the graph that it was made of, and the fingerprint of the file as it was made. */
export const GRAPH_KEY = "tensorloom.graph";
export const HASH_KEY = "tensorloom.onnx_hash";
/** What is done with the data before the network, which the file does itself. */
export const PREPROCESS_KEY = "tensorloom.preprocess";

/**
 * A fingerprint of what an ONNX graph computes: operators, attributes, wires, constants, and shapes of weights, but neither the
 * numbers in the weights of these names nor names of nodes. It tells an edited file from the one that was written; two edits that
 * cancel each other are no concern of it, so it need not withstand attacks.
 */
export function hashOnnx(graph: FileGraph, weightNames: ReadonlySet<string>): string {
  const hash = new Hash();
  addGraph(hash, graph, weightNames);
  return hash.text();
}

function addGraph(hash: Hash, { nodes, initializers, inputs, outputs }: FileGraph, weightNames: ReadonlySet<string>): void {
  hash.add(`graph ${nodes.length} ${initializers.length} ${inputs.length} ${outputs.length}`);
  for (const { name, type, shape } of [...inputs, ...outputs]) hash.add(JSON.stringify([name, type, shape]));
  for (const tensor of [...initializers].sort((a, b) => (a.name < b.name ? -1 : 1))) addTensor(hash, tensor, !weightNames.has(tensor.name));
  for (const { op, domain, inputs: from, outputs: to, attributes } of nodes) {
    hash.add(JSON.stringify([op, domain, from, to]));
    for (const [name, attribute] of [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))) addAttribute(hash, name, attribute, weightNames);
  }
}

function addAttribute(hash: Hash, name: string, { text, texts = [], tensor, graph, ...numbers }: FileAttribute, weightNames: ReadonlySet<string>): void {
  hash.add(JSON.stringify([name, numbers]));
  for (const bytes of text ? [text, ...texts] : texts) hash.addBytes(bytes);
  if (tensor) addTensor(hash, tensor, true);
  if (graph) addGraph(hash, graph, weightNames);
}

function addTensor(hash: Hash, { name, type, shape, raw, numbers }: FileTensor, withNumbers: boolean): void {
  hash.add(JSON.stringify([name, type, shape]));
  if (!withNumbers) return;
  if (raw) hash.addBytes(raw);
  else hash.add(numbers.join());
}

/** Two FNV-1a hashes of 32 bits side by side, from different starts. */
class Hash {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  readonly #encoder = new TextEncoder();

  add(text: string): void {
    this.addBytes(this.#encoder.encode(text));
  }

  /** The length goes in too, so that pieces cannot be shifted against each other. */
  addBytes(bytes: Uint8Array): void {
    this.#step(bytes.length & 0xff);
    this.#step((bytes.length >> 8) & 0xff);
    for (const byte of bytes) this.#step(byte);
  }

  text(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #step(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x01000193);
    this.#high = Math.imul(this.#high ^ byte ^ 0x5c, 0x01000193);
  }
}

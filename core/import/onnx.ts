import { Preprocess } from "../data/manifest.ts";
import { type Tensor, tensorOf } from "../export/tensor.ts";
import { hasErrors, type Problem } from "../graph/check.ts";
import type { Graph } from "../graph/document.ts";
import { parseGraph } from "../graph/migrate.ts";
import { weightName } from "../graph/path.ts";
import { say } from "../language/say.ts";
import { lowerModel } from "../program/lower.ts";
import type { Init, Program } from "../program/program.ts";
import { decodeTensor, fullTensor } from "./constants.ts";
import { GRAPH_KEY, HASH_KEY, hashOnnx, PREPROCESS_KEY } from "./onnx-hash.ts";
import { liftOnnx, type Unsupported } from "./onnx-lift.ts";
import { type FileModel, type OnnxCode, OnnxError, readOnnx } from "./onnx-proto.ts";

/** The operator sets and file versions that are read. */
export const ONNX_VERSIONS = { opset: { min: 7, max: 24 }, ir: { min: 3, max: 13 } } as const;

export type OnnxImport =
  | {
      ok: true;
      /** `document`: the very graph that the file was exported from; `operators`: read operator by operator. */
      from: "document" | "operators";
      graph: Graph;
      /** By `state_dict` name, in the order of the program. */
      weights: Map<string, Tensor>;
      /** What is different from the file, in sentences. */
      notes: string[];
      /** Class names in order, where the file says them. */
      classes: string[];
      /** What the file does with the data before the network; it is not part of the graph, since each data set brings its own. */
      preprocess: Preprocess | null;
    }
  | { ok: false; code: OnnxCode; message: string /** Everything that no layer can say, where that is why. */; unsupported: Unsupported[] };

/**
 * Reads an ONNX file as an editable graph with its weights. All of it or nothing: where something has no counterpart, the answer lists
 * the whole of that. Never throws, whatever the bytes.
 */
export function importOnnx(file: Uint8Array): OnnxImport {
  try {
    const model = readOnnx(file);
    checkVersions(model);
    return readDocument(model) ?? readOperators(model);
  } catch (error) {
    if (error instanceof OnnxError) return { ok: false, code: error.code, message: error.message, unsupported: [] };
    throw error;
  }
}

function checkVersions({ irVersion, opsets }: FileModel): void {
  const { opset, ir } = ONNX_VERSIONS;
  const version = opsets.get("") ?? 1;
  if (irVersion < ir.min || irVersion > ir.max)
    throw new OnnxError(
      "ONNX_VERSION",
      say("The file is of ONNX's file version {irVersion}; {min} to {max} are read. Save it again with a current version of onnx.", { irVersion, min: ir.min, max: ir.max }),
    );
  if (version < opset.min || version > opset.max)
    throw new OnnxError(
      "ONNX_UNSUPPORTED_OP",
      say("The file uses the operator set {version}; {min} to {max} are read. Convert it: onnx.version_converter.convert_version(model, 21).", {
        version,
        min: opset.min,
        max: opset.max,
      }),
    );
}

/** The graph that one of our own exports carries, where the file still is what it was then; else null. */
function readDocument(model: FileModel): OnnxImport | null {
  const text = model.metadata.get(GRAPH_KEY);
  if (text === undefined) return null;
  const parsed = parseGraph(text);
  if (!("graph" in parsed)) return null;
  const program = programOf(parsed.graph);
  if (!program) return null;
  const names = new Set(program.weights.map(({ name }) => name));
  if (model.metadata.get(HASH_KEY) !== hashOnnx(model.graph, names)) return null;
  const tensors = new Map(model.graph.initializers.map((tensor) => [tensor.name, tensor]));
  const weights = new Map<string, Tensor>();
  for (const { name, dtype, shape, init } of program.weights) {
    const found = tensors.get(name);
    const tensor = found && decodeTensor(found);
    if (tensor && (tensor.dtype !== dtype || tensor.shape.join() !== shape.join())) return null;
    // What inference does not read is not in the file, such as the number of batches that a BatchNorm has seen.
    const kept = tensor ?? firstValues(dtype, shape, init);
    if (!kept) return null;
    weights.set(name, kept);
  }
  return { ok: true, from: "document", graph: parsed.graph, weights, notes: [], classes: classesOf(model), preprocess: preprocessOf(model) };
}

function readOperators(model: FileModel): OnnxImport {
  const lifted = liftOnnx(model.graph, model.opsets.get("") ?? 1);
  if ("unsupported" in lifted) return unsupported(lifted.unsupported);
  const { graph, checked, weights: byNode } = lifted.drawing.finish();
  if (hasErrors(checked)) return unsupported(checked.problems.filter(({ severity }) => severity === "error").map(describe));
  const weights = new Map([...byNode].flatMap(([node, own]) => [...own].map(([name, tensor]): [string, Tensor] => [weightName(node, name), tensor])));
  const program = programOf(graph);
  // What the file leaves open begins as the layer says: constants, and counts of batches.
  const ordered = new Map(
    (program?.weights ?? []).flatMap(({ name, dtype, shape, init }): [string, Tensor][] => {
      const tensor = weights.get(name) ?? firstValues(dtype, shape, init);
      return tensor ? [[name, tensor]] : [];
    }),
  );
  return { ok: true, from: "operators", graph, weights: ordered, notes: lifted.notes, classes: classesOf(model), preprocess: null };
}

function unsupported(list: Unsupported[]): OnnxImport {
  const shown = [...new Set(list.map(({ op }) => op))];
  const message = say("{node} no counterpart here ({shown}{count}), so nothing was imported.", {
    node: list.length === 1 ? say("One node of this file has") : say("{count} nodes of this file have", { count: list.length }),
    shown: shown.slice(0, 6).join(", "),
    count: shown.length > 6 ? say(" and {count} more", { count: shown.length - 6 }) : "",
  });
  return { ok: false, code: "ONNX_UNSUPPORTED_OP", message, unsupported: list };
}

function describe({ node, message }: Problem): Unsupported {
  return { op: node?.replace(/_\d+$/, "") ?? "graph", node: node ?? "", why: message };
}

function programOf(graph: Graph): Program | null {
  try {
    return lowerModel(graph);
  } catch {
    return null;
  }
}

/** What a weight begins with, where no chance is in it. */
function firstValues(dtype: Tensor["dtype"], shape: number[], init: Init): Tensor | null {
  if (init.kind === "values") return tensorOf(dtype, shape, init.values);
  if (init.kind === "constant") return fullTensor(dtype, shape, init.value);
  return init.kind === "uniform" && init.zero ? fullTensor(dtype, shape, 0) : null;
}

function classesOf(model: FileModel): string[] {
  const value = jsonOf(model, "tensorloom.classes");
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : [];
}

function preprocessOf(model: FileModel): Preprocess | null {
  return Preprocess.nullable().catch(null).parse(jsonOf(model, PREPROCESS_KEY));
}

function jsonOf({ metadata }: FileModel, key: string): unknown {
  try {
    return JSON.parse(metadata.get(key) ?? "null");
  } catch {
    return null;
  }
}

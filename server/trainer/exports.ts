import { createHash, randomUUID } from "node:crypto";
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { LENGTHS_INPUT, type Manifest } from "../../core/data/manifest.ts";
import { exportOnnx, ONNX_OPSET } from "../../core/export/onnx.ts";
import { setOnnxMetadata } from "../../core/export/onnx-proto.ts";
import { compareOutputs, PARITY_MIN_SAMPLES, type ParityOutput, type ParityReport, whyIncomparable } from "../../core/export/parity.ts";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { readSafetensors, writeSafetensors } from "../../core/export/safetensors.ts";
import type { Weights } from "../../core/export/tensor.ts";
import { pickWeights } from "../../core/export/weights.ts";
import { say } from "../../core/language/say.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { Program } from "../../core/program/program.ts";
import { run as runEngine, type TensorData } from "../../native/index.ts";
import { type Lease, releaseLease } from "../agent/lease.ts";
import { LeaseLost } from "../metrics/store.ts";
import type { Refusal } from "../runs/artifact.ts";
import type { FileStore, StoredFile } from "../storage/files.ts";
import { slug } from "../storage/slug.ts";
import { findBest, type GoodCheckpoint } from "./checkpoints.ts";
import { readRows } from "./evaluation.ts";
import { loseLease } from "./exit.ts";
import { whileKept } from "./keep.ts";
import type { LoadedRun } from "./load.ts";
import { untilDatabase, untilStore } from "./outage.ts";
import { putWhenRoom } from "./space.ts";
import type { Bench } from "./train.ts";

/** Validation rows that go through both the engine and the exported model. */
const paritySamples = 2 * PARITY_MIN_SAMPLES;
/** How many of them go first, and how long ONNX Runtime may hold the thread with some before more go at once. */
const FIRST_ROWS = 2;
const ENOUGH_MS = 500;

/** A batch for each input of a program. */
type Batch = { [input: string]: TensorData };
type Made = { content: Uint8Array; report?: ParityReport } | { refusal: Refusal; report?: ParityReport };
type Kind = "safetensors" | "pytorch" | "onnx";

const extensions: { [kind in Kind]: string } = { safetensors: ".safetensors", pytorch: ".py", onnx: ".onnx" };

/**
 * Makes what a person can take along from a run that has ended: the best checkpoint's weights, PyTorch code, and an ONNX file that ONNX
 * Runtime computes as the engine does. What cannot be had is recorded with the reason. Ends the lease.
 */
export async function exportRun(bench: Bench, lease: Lease, run: LoadedRun): Promise<void> {
  const { db, files, config, log } = bench;
  const lost = () => loseLease(log, lease);
  await whileKept(db, lease, config.LEASE_MS, lost, async () => {
    const checkpoint = await untilStore(() => untilDatabase(() => findBest(db, files, lease.runId)), bench.stop);
    if (checkpoint !== null) await makeExports(bench, lease, run, checkpoint);
    await untilDatabase(() => releaseLease(db, lease));
  });
}

async function makeExports(bench: Bench, lease: Lease, run: LoadedRun, checkpoint: GoodCheckpoint): Promise<void> {
  const started = performance.now();
  const model = await openModel(bench, run, checkpoint);
  // The weights' file comes first: the engine reads it when it is compared with ONNX Runtime.
  const weightsFile = await keep(bench, lease, run, "safetensors", () => ({ content: writeSafetensors(model.weights, model.metadata) }));
  await keep(bench, lease, run, "pytorch", () => ({
    content: new TextEncoder().encode(exportPyTorch(run.graph, { className: run.modelName, preprocess: run.manifest.preprocess })),
  }));
  await keep(bench, lease, run, "onnx", () =>
    weightsFile === null
      ? { refusal: { code: "EXPORT_FAILED", message: say("The weights could not be read, so there is no ONNX file.") } }
      : makeOnnx(bench, run, model, bench.files.path(weightsFile.key)),
  );
  bench.log.info({ runId: lease.runId, step: checkpoint.step, ms: Math.round(performance.now() - started) }, "exports made");
}

type Model = { program: Program; weights: Weights; metadata: { [key: string]: string } };

async function openModel({ files, engine }: Bench, run: LoadedRun, checkpoint: GoodCheckpoint): Promise<Model> {
  const program = lowerModel(run.graph, { preprocess: run.manifest.preprocess });
  const names = new Set(program.weights.map(({ name }) => name));
  const { tensors } = readSafetensors(await files.read(checkpoint.storageKey), { only: (name) => names.has(name) });
  return {
    program,
    weights: pickWeights(program, tensors),
    metadata: {
      "tensorloom.model": run.modelName,
      "tensorloom.run": String(run.number),
      "tensorloom.step": String(checkpoint.step),
      "tensorloom.epoch": String(checkpoint.epoch),
      "tensorloom.engine": engine.build,
      "tensorloom.graph_sha256": createHash("sha256").update(JSON.stringify(run.graph)).digest("hex"),
      "tensorloom.data": run.manifest.source,
      "tensorloom.data_licence": run.manifest.licence,
    },
  };
}

/** Makes one export, stores it and records it, or records why it is not to be had. Null in the latter case. */
async function keep(bench: Bench, lease: Lease, run: LoadedRun, kind: Kind, make: () => Made | Promise<Made>): Promise<StoredFile | null> {
  const { db, files, log } = bench;
  const fileName = `${slug(run.modelName) || "model"}-run-${run.number}${extensions[kind]}`;
  let made: Made;
  try {
    made = await make();
  } catch (error) {
    log.error({ runId: lease.runId, kind, error }, "export failed");
    made = {
      refusal: {
        code: "EXPORT_FAILED",
        message:
          error instanceof Error
            ? say("This export could not be made: {message}", { message: error.message })
            : say("This export could not be made, for a reason of ours; the log says which."),
      },
    };
  }
  const stored = "content" in made ? await putWhenRoom(bench, lease, `runs/${lease.runId}/export-${lease.token}/${fileName}`, made.content) : null;
  const refusal = "refusal" in made ? JSON.stringify(made.refusal) : null;
  const report = made.report === undefined ? null : JSON.stringify(made.report);
  const replaced = await untilDatabase(() =>
    db.$transaction(async (tx) => {
      const held = await tx.$queryRaw<
        unknown[]
      >`SELECT 1 FROM "Run" WHERE "id" = ${lease.runId}::uuid AND "leaseToken" = ${lease.token} AND "leaseUntil" IS NOT NULL FOR NO KEY UPDATE`;
      if (held.length === 0) throw new LeaseLost({ id: lease.runId, orgId: lease.orgId }, lease.token);
      const before = await tx.$queryRaw<{ storageKey: string }[]>`SELECT "storageKey" FROM "Artifact" WHERE "runId" = ${lease.runId}::uuid AND "kind" = ${kind}::"ArtifactKind"`;
      await tx.$executeRaw`
        INSERT INTO "Artifact" ("id", "orgId", "runId", "kind", "fileName", "storageKey", "sizeBytes", "sha256", "report", "refusal")
        VALUES (${randomUUID()}::uuid, ${lease.orgId}::uuid, ${lease.runId}::uuid, ${kind}::"ArtifactKind", ${fileName}, ${stored?.key ?? ""}, ${stored?.sizeBytes ?? 0}, ${stored?.sha256 ?? ""}, ${report}::jsonb, ${refusal}::jsonb)
        ON CONFLICT ("runId", "kind") DO UPDATE SET "fileName" = EXCLUDED."fileName", "storageKey" = EXCLUDED."storageKey", "sizeBytes" = EXCLUDED."sizeBytes",
          "sha256" = EXCLUDED."sha256", "report" = EXCLUDED."report", "refusal" = EXCLUDED."refusal", "createdAt" = now()`;
      return before.map(({ storageKey }) => storageKey).filter((key) => key !== "" && key !== stored?.key);
    }),
  );
  for (const key of replaced) await files.remove(key).catch(() => {});
  return stored;
}

/** The ONNX file, if ONNX Runtime's outputs equal the engine's on real validation rows, or if they cannot be compared; the report, or the reason, goes into the file. */
async function makeOnnx({ engine, files }: Bench, run: LoadedRun, { program, weights, metadata }: Model, weightsPath: string): Promise<Made> {
  const read = await readInputs(files, run, program);
  if ("refusal" in read) return read;
  const { inputs } = read;
  const model = exportOnnx(run.graph, weights, { preprocess: run.manifest.preprocess, classes: run.manifest.classes, metadata });
  const incomparable = whyIncomparable(run.graph);
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    if (incomparable) {
      // That it runs can still be seen.
      await runOnnx(session, takeRows(inputs, 0, FIRST_ROWS));
      return { content: setOnnxMetadata(model, { "tensorloom.parity": JSON.stringify({ compared: false, reason: incomparable }) }) };
    }
    const { ours, theirs } = await runBoth((rows) => runEngine({ program, weights: { file: weightsPath }, inputs: rows }), session, inputs);
    const report = compareOutputs({
      engine: { version: `libtorch ${engine.libtorch}`, outputs: ours },
      onnxRuntime: { version: env.versions.node ?? env.versions.common, outputs: theirs },
      opset: ONNX_OPSET,
    });
    if (!report.passed) return { refusal: { code: "ONNX_PARITY", message: say("ONNX Runtime and the engine disagree: {refusal}", { refusal: report.refusal ?? "" }) }, report };
    // The file that was compared, byte for byte, with the report put in.
    return { content: setOnnxMetadata(model, { "tensorloom.parity": JSON.stringify(report) }), report };
  } finally {
    await session.release();
  }
}

type Outputs = { [name: string]: ParityOutput };

/**
 * What both say of all rows, asked for a few at a time: ONNX Runtime computes on this thread, and whoever keeps the lease wants it now and then.
 * As many as take half a second; both get the same rows together, so that a network that looks across its batch says the same.
 */
async function runBoth(engine: (rows: Batch) => Promise<Outputs>, session: InferenceSession, inputs: Batch): Promise<{ ours: Outputs; theirs: Outputs }> {
  const ours: Outputs[] = [];
  const theirs: Outputs[] = [];
  for (let first = 0, count = FIRST_ROWS; first < paritySamples; ) {
    const rows = takeRows(inputs, first, count);
    ours.push(await engine(rows));
    const started = performance.now();
    theirs.push(await runOnnx(session, rows));
    first += count;
    if (performance.now() - started < ENOUGH_MS) count = Math.min(2 * count, paritySamples - first);
  }
  return { ours: joinRows(ours), theirs: joinRows(theirs) };
}

function takeRows(inputs: Batch, first: number, count: number): Batch {
  const part = (data: TensorData): TensorData => {
    const [rows = 1, ...rest] = data.shape;
    const size = data.data.length / rows;
    const [from, to] = [first * size, (first + count) * size];
    const shape = [Math.min(count, rows - first), ...rest];
    if (data.dtype === "int64") return { ...data, shape, data: data.data.slice(from, to) };
    return data.dtype === "float32" ? { ...data, shape, data: data.data.slice(from, to) } : { ...data, shape, data: data.data.slice(from, to) };
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, part(data)]));
}

/** Outputs one behind the other along the first axis. One without axes stays as it first was. */
function joinRows(parts: readonly Outputs[]): Outputs {
  return Object.fromEntries(
    Object.entries(parts[0] ?? {}).map(([name, first]) => {
      if (first.shape.length === 0) return [name, first];
      const all = parts.flatMap((part) => part[name] ?? []);
      const rows = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
      return [name, { shape: [rows, ...first.shape.slice(1)], data: joinNumbers(all.map(({ data }) => data)) }];
    }),
  );
}

function joinNumbers(parts: readonly ArrayLike<number | bigint>[]): ArrayLike<number> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = parts.every((part) => part instanceof Float32Array) ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) for (let i = 0; i < part.length; i++) all[at++] = Number(part[i]);
  return all;
}

async function runOnnx(session: InferenceSession, inputs: Batch): Promise<Outputs> {
  const results = await session.run(Object.fromEntries(Object.entries(inputs).map(([name, { dtype, data, shape }]) => [name, new OrtTensor(dtype, data, shape)])));
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => {
      if (Array.isArray(data)) throw new TypeError(`Output ${name} is text.`);
      return [name, { shape: dims, data }];
    }),
  );
}

/** Raw validation rows as a batch for each input; small data sets give theirs more than once. Refused where an input is fed nothing. */
async function readInputs(files: FileStore, run: LoadedRun, program: Program): Promise<{ inputs: Batch } | { refusal: Refusal }> {
  const { input, lengths, more = {} } = run.manifest.splits.validation;
  const named: { [name: string]: typeof input } = { ...more, ...(lengths ? { [LENGTHS_INPUT]: lengths } : {}) };
  const unnamed = program.inputs.filter(({ name }) => !Object.hasOwn(named, name));
  if (unnamed.length > 1)
    return {
      refusal: {
        code: "ONNX_PARITY",
        message: say("The network has {length} inputs that the data set has no arrays for by name; it has one for any.", { length: unnamed.length }),
      },
    };
  const inputs: Batch = {};
  for (const { name } of program.inputs) inputs[name] = await readBatch(files, run, named[name] ?? input);
  return { inputs };
}

async function readBatch(files: FileStore, run: LoadedRun, array: Manifest["splits"]["validation"]["input"]): Promise<TensorData> {
  const { rows } = run.manifest.splits.validation;
  const wanted = Array.from({ length: paritySamples }, (_, at) => at % rows);
  const joined = Buffer.concat(await readRows(files, run.datasetId, array, rows, wanted));
  const buffer = joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.length);
  const shape = [paritySamples, ...array.shape];
  if (array.dtype === "uint8") return { dtype: "uint8", shape, data: new Uint8Array(buffer) };
  return array.dtype === "float32" ? { dtype: "float32", shape, data: new Float32Array(buffer) } : { dtype: "int64", shape, data: new BigInt64Array(buffer) };
}

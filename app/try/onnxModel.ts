import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { LENGTHS_INPUT } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";

/** Input types that our exports have: the raw numbers of a data set, since scaling is inside the model. */
type InputDtype = "uint8" | "float32" | "int64";

/** A trained network that runs here, in the browser. */
export type OnnxModel = {
  dtype: InputDtype;
  /** Output for one sample, given its raw numbers; without the batch axis. A sequence may be of any length from 1 on. */
  predict(values: readonly number[]): Promise<number[]>;
  release(): void;
};

/** Opens an ONNX file in ONNX Runtime's WebAssembly build, which this server serves itself. `sampleShape` is null for sequences. */
export async function openOnnx(given: Uint8Array | Promise<Uint8Array>, sampleShape: readonly number[] | null): Promise<OnnxModel> {
  const [ort, file] = await Promise.all([import("onnxruntime-web/wasm"), given]);
  ort.env.wasm.wasmPaths = "/ort/";
  // Threads need cross-origin isolation, and one sample of a small network is done in a millisecond without.
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const input = session.inputMetadata.find(({ name }) => name !== LENGTHS_INPUT);
  const takesLengths = session.inputNames.includes(LENGTHS_INPUT);
  // What training looked at, where there are several.
  const output = session.outputNames.includes("y") ? "y" : session.outputNames[0];
  const others = session.inputNames.filter((name) => name !== LENGTHS_INPUT && name !== input?.name);
  if (others.length > 0)
    throw new Error(say("it has several inputs, {value}, and only one can be filled in here; use it from code.", { value: [input?.name, ...others].join(", ") }));
  if (!input?.isTensor || output === undefined) throw new Error(say("This ONNX file has no tensor input, or no output."));
  const dtype = readDtype(input.type);
  return {
    dtype,
    async predict(values) {
      const feeds = { [input.name]: new ort.Tensor(dtype, pack(values, dtype), [1, ...(sampleShape ?? [values.length])]) };
      if (takesLengths) feeds[LENGTHS_INPUT] = new ort.Tensor("int64", pack([values.length], "int64"), [1]);
      const results: InferenceSession.ReturnType = await session.run(feeds, [output]);
      const result = results[output];
      if (!result || !("data" in result)) throw new Error(say("This ONNX file gives no {output}.", { output }));
      return Array.from(result.data as Exclude<Tensor["data"], string[]>, Number);
    },
    release: () => void session.release(),
  };
}

/** A run's file. */
export async function fetchFile(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(say("The file could not be fetched ({status}).", { status: response.status }));
  return new Uint8Array(await response.arrayBuffer());
}

function readDtype(type: Tensor.Type): InputDtype {
  if (type === "uint8" || type === "float32" || type === "int64") return type;
  throw new Error(say("The model's input is {type}; only uint8, float32 and int64 can be filled in here.", { type }));
}

function pack(values: readonly number[], dtype: InputDtype): Uint8Array | Float32Array | BigInt64Array {
  if (dtype === "uint8") return Uint8Array.from(values);
  return dtype === "float32" ? Float32Array.from(values) : BigInt64Array.from(values, (value) => BigInt(Math.round(value)));
}

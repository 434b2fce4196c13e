import type { ActivationsOrder, GradientsOrder, TensorsAnswer } from "../../core/preview/study.ts";
import { lowerTapped } from "../../core/program/lower.ts";
import { run, type TensorData } from "../../native/index.ts";
import { readInputs } from "./rows.ts";

const LOSS = "loss";

/** What nodes of a trained network give for rows of its data set, by their paths; of a node with several outputs by `path.port`. */
export async function activations({ graph, preprocess, arrays, file, rows, node, mostBytes }: ActivationsOrder): Promise<TensorsAnswer> {
  const { program, taps } = lowerTapped(graph, { preprocess, wanted: { has: (path) => isWithin(path, node) } });
  if (taps.length === 0) return { bytes: 0, tensors: [] };
  const given = await run({ program, weights: { file }, inputs: await readInputs(program, arrays, rows) });
  const found = taps.flatMap(({ path, port, output }) => {
    const tensor = given[output];
    return tensor ? [{ name: taps.some((other) => other.path === path && other.port !== port) ? `${path}.${port}` : path, tensor }] : [];
  });
  return pack(found, mostBytes);
}

/** How the loss of rows of a data set changes with each weight that learns, by its PyTorch name; in evaluation, so nothing in it is random. */
export async function gradients({ program, arrays, file, rows, node, mostBytes }: GradientsOrder): Promise<TensorsAnswer> {
  const loss = program.outputs.find(({ name }) => name === LOSS);
  if (!loss) throw new Error("A run's program has a loss.");
  const wanted = program.weights.filter((weight) => weight.trainable && isWithin(weight.node, node));
  if (wanted.length === 0) return { bytes: 0, tensors: [] };
  const asked = { ...program, outputs: [loss, ...wanted.map(({ name, value }) => ({ name: `weight/${name}`, value }))] };
  const given = await run({ program: asked, weights: { file }, inputs: await readInputs(program, arrays, rows), gradientOf: LOSS });
  const found = wanted.flatMap(({ name }) => {
    const tensor = given[`gradient/weight/${name}`];
    return tensor ? [{ name, tensor }] : [];
  });
  return pack(found, mostBytes);
}

const isWithin = (path: string, node: string | null) => node === null || path === node || path.startsWith(`${node}/`);

function pack(found: { name: string; tensor: TensorData }[], mostBytes: number): TensorsAnswer {
  const bytes = found.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0);
  if (bytes > mostBytes) return { bytes, tensors: [] };
  return {
    bytes,
    tensors: found.map(({ name, tensor: { dtype, shape, data } }) => ({ name, dtype, shape, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") })),
  };
}

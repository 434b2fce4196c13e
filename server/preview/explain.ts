import { mainOutput } from "../../core/graph/predicting.ts";
import { bodyInputs } from "../../core/layers/input.ts";
import type { ExplainAnswer, ExplainOrder, Heat } from "../../core/preview/study.ts";
import { lowerTapped } from "../../core/program/lower.ts";
import type { Op, Program } from "../../core/program/program.ts";
import { argmax } from "../../core/training/probability.ts";
import { run, type TensorData } from "../../native/index.ts";
import { readInputs } from "./rows.ts";

/** A map of fewer places a side tells nothing of where. */
const LEAST_SIDE = 3;
/** What attention maps of one row may take to work out, in multiplications. */
const MOST_PRODUCTS = 2e8;
const SCORE = "score";

/**
 * Sends one row through a trained network and back: what in it speaks for one number of its answer. Gradients are of that number, before a softmax
 * where the network ends without one.
 */
export async function explain({ graph, preprocess, arrays, file, row, at, node }: ExplainOrder): Promise<ExplainAnswer> {
  const { program, taps } = lowerTapped(graph, { preprocess, wanted: { has: () => true } });
  const inputs = await readInputs(program, arrays, [row]);
  const main = mainOutput(graph)?.node.id;
  const last = taps.find(({ path }) => path === main);
  const answer = last && program.outputs.find(({ name }) => name === last.output);
  if (!last || !answer) throw new Error("A checked network has an output.");

  const looks = findAttention(program);
  const plain = await run({ program: { ...program, outputs: [answer, ...looks.flatMap(({ outputs }) => outputs)] }, weights: { file }, inputs });
  const said = plain[last.output];
  const values = said?.dtype === "float32" ? Array.from(said.data) : [];
  const attention = looks.flatMap(({ read }) => read(plain) ?? []);
  const chosen = Math.min(values.length - 1, at ?? argmax(values));
  const told = { output: values.map((value) => (Number.isFinite(value) ? value : null)), at: Math.max(0, chosen), attention };

  const image = bodyInputs(graph).find((input) => program.inputs.some(({ node, shape }) => node === input.node.id && shape.length === 4));
  if (!image || said?.shape.length !== 2) return { ...told, gradient: null, maps: null, node: null, nodes: [] };

  const passed = await run({ program: withScore(program, answer.value, told.at), weights: { file }, inputs, gradientOf: SCORE });
  const places = taps.filter(({ path, output }) => {
    const { shape = [] } = passed[output] ?? {};
    return path !== image.node.id && shape.length === 4 && Math.min(shape[2] ?? 0, shape[3] ?? 0) >= LEAST_SIDE && passed[`gradient/${output}`];
  });
  const weighed = places.findLast(({ path }) => path === node) ?? places.at(-1);
  const seen = taps.find(({ path }) => path === image.node.id);
  return {
    ...told,
    gradient: seen ? largest(passed[`gradient/${seen.output}`]) : null,
    maps: weighed ? weigh(passed[weighed.output], passed[`gradient/${weighed.output}`]) : null,
    node: weighed?.path ?? null,
    nodes: [...new Set(places.map(({ path }) => path))],
  };
}

/** The program with one number of its answer as a further output. */
function withScore(program: Program, value: number, at: number): Program {
  const next =
    1 + program.ops.reduce((most, op) => Math.max(most, largestOf(op)), Math.max(-1, ...program.inputs.map((one) => one.value), ...program.weights.map((one) => one.value)));
  return {
    ...program,
    ops: [...program.ops, { op: "aten::select.int", args: [{ v: value }, 1, at], out: [next], node: "" }, { op: "aten::sum", args: [{ v: next }], out: [next + 1], node: "" }],
    outputs: [...program.outputs, { name: SCORE, value: next + 1 }],
  };
}

/** The largest value that an operation writes, in the blocks within it too. */
function largestOf(op: Op): number {
  const inner = "blocks" in op ? op.blocks.flatMap((block) => [...block.inputs, ...block.ops.map(largestOf)]) : [];
  return Math.max(-1, ...op.out, ...inner);
}

/** The largest change over the channels, at each place. */
function largest(gradient: TensorData | undefined): Heat | null {
  if (gradient?.dtype !== "float32") return null;
  const [, channels = 1, height = 1, width = 1] = gradient.shape;
  const size = height * width;
  return heatOf(
    Array.from({ length: size }, (_, place) => {
      let most = 0;
      for (let channel = 0; channel < channels; channel++) most = Math.max(most, Math.abs(gradient.data[channel * size + place] ?? 0));
      return most;
    }),
    height,
    width,
  );
}

/** ReLU(Σ over maps of mean gradient · map), as Selvaraju et al. 2017 have it. */
function weigh(maps: TensorData | undefined, gradient: TensorData | undefined): Heat | null {
  if (maps?.dtype !== "float32" || gradient?.dtype !== "float32") return null;
  const [, channels = 1, height = 1, width = 1] = maps.shape;
  const size = height * width;
  const sums = new Float64Array(size);
  for (let channel = 0; channel < channels; channel++) {
    let weight = 0;
    for (let place = 0; place < size; place++) weight += (gradient.data[channel * size + place] ?? 0) / size;
    for (let place = 0; place < size; place++) sums[place] = (sums[place] ?? 0) + weight * (maps.data[channel * size + place] ?? 0);
  }
  return heatOf(
    Array.from(sums, (value) => Math.max(0, value)),
    height,
    width,
  );
}

function heatOf(values: readonly number[], height: number, width: number): Heat {
  const most = values.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, value) : top), 0);
  return { height, width, bytes: Buffer.from(values.map((value) => (most > 0 && Number.isFinite(value) ? Math.round((255 * value) / most) : 0))).toString("base64") };
}

type Attention = ExplainAnswer["attention"][number];
/** What has to be given of a program to know one node's attention, and how it is read from that. */
type Look = { outputs: Program["outputs"]; read: (given: { [name: string]: TensorData }) => Attention | null };

/** Where a program attends: in the fused operator, of which queries and keys are taken, or written out, where the shares themselves stand in front of the dropout. */
function findAttention(program: Program): Look[] {
  const looks: Look[] = [];
  for (const op of program.ops) {
    if (!("args" in op) || !Array.isArray(op.args)) continue;
    const valueAt = (at: number) => {
      const arg = op.args[at];
      return typeof arg === "object" && arg !== null && "v" in arg ? arg.v : null;
    };
    const name = (part: string) => `attention_${looks.length}_${part}`;
    if (op.op === "aten::scaled_dot_product_attention") {
      const [q, k, mask] = [valueAt(0), valueAt(1), valueAt(3)];
      if (q === null || k === null) continue;
      const [query, key, seen] = [name("q"), name("k"), name("mask")];
      const isCausal = op.args[5] === true;
      looks.push({
        outputs: [{ name: query, value: q }, { name: key, value: k }, ...(mask === null ? [] : [{ name: seen, value: mask }])],
        read: (given) => attend(op.node, given[query], given[key], given[seen], isCausal),
      });
    } else if (op.op === "aten::dropout") {
      const value = valueAt(0);
      const shares = program.ops.find((other) => value !== null && other.out.includes(value));
      const isSoftmax = shares?.node === op.node && (shares.op === "aten::softmax.int" || shares.op === "aten::masked_fill.Scalar");
      if (value === null || !isSoftmax || !program.ops.some((other) => other.node === op.node && other.op === "aten::matmul")) continue;
      const output = name("shares");
      looks.push({ outputs: [{ name: output, value }], read: (given) => sharesOf(op.node, given[output]) });
    }
  }
  return looks;
}

function sharesOf(node: string, shares: TensorData | undefined): Attention | null {
  if (shares?.dtype !== "float32" || shares.shape.length < 2) return null;
  const [rows = 1, columns = 1] = shares.shape.slice(-2);
  return { node, heads: shares.data.length / (rows * columns), rows, columns, bytes: Buffer.from(shares.data.map((share) => Math.round(255 * share))).toString("base64") };
}

/** softmax(q kᵀ / √d), where a mask or the order of the steps lets them look. */
function attend(node: string, q: TensorData | undefined, k: TensorData | undefined, mask: TensorData | undefined, isCausal: boolean): Attention | null {
  if (q?.dtype !== "float32" || k?.dtype !== "float32") return null;
  const [rows = 1, depth = 1] = q.shape.slice(-2);
  const columns = k.shape.at(-2) ?? 1;
  const heads = q.data.length / (rows * depth);
  if (k.data.length !== heads * columns * depth || heads * rows * columns * depth > MOST_PRODUCTS) return null;
  const visible = mask?.dtype === "bool" ? mask.data : null;
  const shares = new Float32Array(heads * rows * columns);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      const begin = (head * rows + row) * columns;
      let top = Number.NEGATIVE_INFINITY;
      for (let column = 0; column < columns; column++) {
        // A mask of fewer heads is the same for all of them.
        const hidden = (isCausal && column > row) || (visible !== null && visible[(begin + column) % visible.length] === 0);
        let product = 0;
        for (let i = 0; i < depth; i++) product += (q.data[(head * rows + row) * depth + i] ?? 0) * (k.data[(head * columns + column) * depth + i] ?? 0);
        const score = hidden ? Number.NEGATIVE_INFINITY : product / Math.sqrt(depth);
        shares[begin + column] = score;
        top = Math.max(top, score);
      }
      let sum = 0;
      for (let column = 0; column < columns; column++) {
        const power = top === Number.NEGATIVE_INFINITY ? 0 : Math.exp((shares[begin + column] ?? 0) - top);
        shares[begin + column] = power;
        sum += power;
      }
      for (let column = 0; column < columns; column++) shares[begin + column] = sum > 0 ? (shares[begin + column] ?? 0) / sum : 0;
    }
  }
  return sharesOf(node, { dtype: "float32", shape: [heads, rows, columns], data: shares });
}

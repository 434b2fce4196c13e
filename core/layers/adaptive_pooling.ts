import { defineLayer, float32, type OnnxBuilder, type OnnxValue } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { type Axes, needImage, SPATIAL_INPUT } from "./window.ts";

const THINGS = { 1: "a sequence", 2: "an image", 3: "a volume" };

/** AdaptiveAvgPool and AdaptiveMaxPool: windows as wide as it takes to get to a given size. */
export function defineAdaptivePooling(kind: "avg" | "max", axes: Axes) {
  const title = `Adaptive${kind === "avg" ? "Avg" : "Max"}Pool${axes}d`;
  const one = formatSize(1, axes);
  return defineLayer({
    type: `adaptive_${kind}_pool${axes}d`,
    title,
    category: "pooling",
    doc:
      kind === "avg"
        ? `Averages ${THINGS[axes]} down to a fixed size, whatever its size; ${one} is global average pooling.`
        : `Keeps the greatest values of ${THINGS[axes]} in a fixed number of windows, whatever its size; ${one} keeps one for each channel.`,
    formula: `y[n, c, i] = ${kind === "avg" ? "mean" : "max"} of x[n, c, ⌊i · size / out⌋ … ⌈(i + 1) · size / out⌉ − 1]`,
    when: `Before a Linear layer, so that inputs of any size fit. ${kind === "avg" ? "GlobalAvgPool is shorter where one number for each channel is enough." : "AdaptiveAvgPool is the usual choice; the greatest value suits where one strong place decides."}`,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: kind === "avg" ? ["global average pooling", "gap", "pool"] : ["global max pooling", "pool"],
    params: {
      output_size: p.size({
        axes,
        min: 1,
        default: 1,
        doc: axes === 1 ? "Length that comes out." : axes === 2 ? "Height and width that come out." : "Depth, height and width that come out.",
      }),
    },
    inputs: { x: { doc: SPATIAL_INPUT[axes] } },
    summary: ({ output_size }) => `to ${formatSize(output_size, axes)}`,
    infer: ({ output_size }, { x: { shape } }) => needImage(title, axes, shape) ?? { outputs: { y: float32([...shape.slice(0, 2), ...perAxis(output_size, axes)]) } },
    lower: ({ output_size }, { x }, b, { outputs: { y = x.type } }) => {
      const out = { ints: perAxis(output_size, axes) };
      if (kind === "avg") return { y: b.call(`aten::adaptive_avg_pool${axes}d`, [x, out], y) };
      const [greatest = x] = b.calls(`aten::adaptive_max_pool${axes}d`, [x, out], [y, { dtype: "int64", shape: y.shape }]);
      return { y: greatest };
    },
    onnx: ({ output_size }, { x }, b) => ({ y: writeOnnx(kind, perAxis(output_size, axes), x, b) }),
    torch: ({ output_size }) => ({
      module: pythonCall(`nn.${title}`, [Array.isArray(output_size) && axes > 1 ? `(${output_size.join(", ")})` : Number(output_size)]),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    examples: [
      { inputs: { x: image([7, 7, 3]) } },
      { params: { output_size: [3, 2, 2].slice(0, axes) }, inputs: { x: image([7, 8, 3]) } },
      { params: { output_size: 2 }, inputs: { x: image([8, 6, 4]) } },
      { params: { output_size: 5 }, inputs: { x: image([3, 7, 2]) } },
    ],
  });

  function image(sizes: number[]): number[] {
    return [2, 3, ...sizes.slice(0, axes)];
  }
}

/** ONNX has windows of one size alone; where these differ, each axis is pooled through a mask of who belongs to which window. */
function writeOnnx(kind: "avg" | "max", out: number[], x: OnnxValue, b: OnnxBuilder): string {
  const op = kind === "avg" ? "AveragePool" : "MaxPool";
  const sizes = x.type.shape.slice(2);
  if (out.every((size) => size === 1)) return b.node(`Global${op}`, [x.name])[0] ?? "";
  const kernel = sizes.flatMap((size, i) => (typeof size === "number" && size % (out[i] ?? 1) === 0 ? [size / (out[i] ?? 1)] : []));
  if (kernel.length === out.length) return b.node(op, [x.name], { kernel_shape: kernel, strides: kernel })[0] ?? "";
  let y = x.name;
  for (const [i, size] of sizes.entries()) {
    const count = out[i] ?? 1;
    if (size === count) continue;
    const axis = 2 + i;
    const behind = sizes.length - 1 - i;
    const { isInside, width } = typeof size === "number" ? knownWindows(b, count, behind, size) : askedWindows(b, count, behind, x.name, axis);
    // [..., size, ...] → [..., 1, size, ...], against [out, size, 1, ...].
    const [apart = ""] = b.node("Unsqueeze", [y, b.constant([axis], [1], "int64")]);
    const [seen = ""] = b.node("Where", [isInside, apart, b.constant([kind === "avg" ? 0 : -Infinity], [], "float32")]);
    const [pooled = ""] = b.node(kind === "avg" ? "ReduceSum" : "ReduceMax", [seen, b.constant([axis + 1], [1], "int64")], { keepdims: 0 });
    [y = ""] = kind === "avg" ? b.node("Div", [pooled, width]) : [pooled];
  }
  return y;
}

/** Which places belong to which window, as [out, size, 1, ...] with as many ones as axes stand behind, and how many, as [out, 1, ...]. */
type Windows = { isInside: string; width: string };

function knownWindows(b: OnnxBuilder, count: number, behind: number, size: number): Windows {
  const windows = countTo(count).map((i) => ({ start: Math.floor((i * size) / count), end: Math.ceil(((i + 1) * size) / count) }));
  const inside = windows.flatMap(({ start, end }) => countTo(size).map((j) => Number(j >= start && j < end)));
  const widths = windows.map(({ start, end }) => end - start);
  const ones = Array<number>(behind).fill(1);
  return { isInside: b.constant(inside, [count, size, ...ones], "bool"), width: b.constant(widths, [count, ...ones], "float32") };
}

/** The same for a size that is asked at run time. */
function askedWindows(b: OnnxBuilder, count: number, behind: number, x: string, axis: number): Windows {
  const column = [count, 1, ...Array<number>(behind).fill(1)];
  const int = (value: number) => b.constant([value], [], "int64");
  const axes = (from: number, number: number) =>
    b.constant(
      countTo(number).map((i) => i + from),
      [number],
      "int64",
    );
  const [size = ""] = b.node("Shape", [x], { start: axis, end: axis + 1 });
  const [scalar = ""] = b.node("Squeeze", [size]);
  const [places = ""] = b.node("Range", [int(0), scalar, int(1)]);
  const [row = ""] = behind === 0 ? [places] : b.node("Unsqueeze", [places, axes(1, behind)]);
  const [before = ""] = b.node("Mul", [b.constant(countTo(count), column, "int64"), size]);
  const [start = ""] = b.node("Div", [before, int(count)]);
  const [upTo = ""] = b.node("Add", [before, size]);
  const [roundedUp = ""] = b.node("Add", [upTo, int(count - 1)]);
  const [end = ""] = b.node("Div", [roundedUp, int(count)]);
  const [isAfter = ""] = b.node("GreaterOrEqual", [row, start]);
  const [isBefore = ""] = b.node("Less", [row, end]);
  const [isInside = ""] = b.node("And", [isAfter, isBefore]);
  const [span = ""] = b.node("Sub", [end, start]);
  const [spans = ""] = b.node("Squeeze", [span, axes(1, 1)]);
  const [width = ""] = b.node("Cast", [spans], { to: FLOAT });
  return { isInside, width };
}

/** ONNX's number for float32. */
const FLOAT = 1;

/** 0, 1, … count − 1 */
function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

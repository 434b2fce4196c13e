import { evaluate } from "../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, type InferProblem, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const einsum = defineLayer({
  type: "einsum",
  title: "Einsum",
  category: "math",
  doc: "Multiplies tensors and adds up over named axes, as an equation says: matrix products, attention, outer products in one line.",
  formula: "bij,bjk→bik:  y[b,i,k] = Σⱼ x₁[b,i,j] · x₂[b,j,k]",
  when: "Use it where MatMul would need axes turned and added first. For a plain product of matrices MatMul is easier to read.",
  source: "https://pytorch.org/docs/2.13/generated/torch.einsum.html",
  keywords: ["einstein", "sum", "contraction", "outer", "matrix product", "tensor"],
  params: {
    equation: p.text({
      default: "bij,bjk->bik",
      pattern: /^[A-Za-z., \->]+$/,
      doc: "A letter for each axis: those of the inputs, with commas between, then -> and those of the result. `...` stands for further axes.",
      placeholder: "bij,bjk->bik",
    }),
  },
  inputs: { x: { doc: "As many tensors as the equation has parts before the arrow, in its order.", many: true } },
  summary: ({ equation }) => equation,
  infer: ({ equation }, { x }) => {
    const plan = planEinsum(
      equation,
      x.map(({ shape }) => shape),
    );
    return "problem" in plan ? plan : { outputs: { y: float32(plan.shape) } };
  },
  lower: ({ equation }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::einsum", [explicit(equation), x], y ?? float32([])) }),
  onnx: ({ equation }, { x }, b) => ({
    y: onnxNode(
      b,
      "Einsum",
      x.map(({ name }) => name),
      { equation: explicit(equation) },
    ),
  }),
  torch: ({ equation }) => ({ forward: (_, { x }) => `torch.einsum("${explicit(equation)}", ${[x].flat().join(", ")})` }),
  cost: ({ equation }, { inputs: { x } }) => {
    const plan = planEinsum(
      equation,
      x.map(({ shape }) => shape),
    );
    // A product for each combination of the labels, and one more for each further tensor.
    if ("problem" in plan || x.length < 2) return { multiplyAdds: 0 };
    return { multiplyAdds: (x.length - 1) * plan.sizes.reduce<number>((product, size) => product * evaluate(size, 1), 1) };
  },
  examples: [
    {
      inputs: {
        x: [
          { dtype: "float32", shape: [2, 3, 4] },
          { dtype: "float32", shape: [2, 4, 5] },
        ],
      },
    },
    {
      params: { equation: "b...i, b...i" },
      inputs: {
        x: [
          { dtype: "float32", shape: [2, 3, 4] },
          { dtype: "float32", shape: [2, 3, 4] },
        ],
      },
    },
    { params: { equation: "bii->bi" }, inputs: { x: [{ dtype: "float32", shape: [2, 3, 3] }] } },
    {
      params: { equation: "bi,bj,bk->bkji" },
      inputs: {
        x: [
          { dtype: "float32", shape: [2, 3] },
          { dtype: "float32", shape: [2, 4] },
          { dtype: "float32", shape: [2, 2] },
        ],
      },
    },
  ],
});

const ELLIPSIS = "...";

/** The letters of each input, `...` among them, and of the result. Without an arrow that has `...` and each letter that stands once, in order. */
function readEquation(equation: string): { inputs: string[][]; output: string[] } | null {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  if (more.length > 0 || (right ?? "").includes(",")) return null;
  const read = (part: string): string[] | null => {
    const labels = part.match(/\.\.\.|[A-Za-z]/g) ?? [];
    return labels.join("") === part && labels.filter((label) => label === ELLIPSIS).length <= 1 ? labels : null;
  };
  const inputs = left.split(",").map(read);
  if (inputs.some((labels) => labels === null)) return null;
  const all = inputs.flatMap((labels) => labels ?? []);
  const implicit = [...new Set(all)]
    .filter((label) => label === ELLIPSIS || all.indexOf(label) === all.lastIndexOf(label))
    .sort((a, b) => (a === ELLIPSIS ? -1 : b === ELLIPSIS ? 1 : a < b ? -1 : 1));
  const output = right === undefined ? implicit : read(right);
  return output && { inputs: inputs.map((labels) => labels ?? []), output };
}

/** The equation with its result written out and no spaces. */
function explicit(equation: string): string {
  const read = readEquation(equation);
  return read ? `${read.inputs.map((labels) => labels.join("")).join(",")}->${read.output.join("")}` : equation;
}

function planEinsum(equation: string, shapes: Shape[]): { shape: Shape; sizes: Dim[] } | InferProblem {
  const wrong = (problem: string, hint?: string): InferProblem => ({ problem, code: "GRAPH_PARAM", param: "equation", hint });
  const read = readEquation(equation);
  if (!read)
    return wrong(
      say("Einsum cannot read the equation {equation}.", { equation }),
      say("Letters for axes, commas between inputs, then -> and the letters of the result: bij,bjk->bik."),
    );
  if (read.inputs.length !== shapes.length)
    return {
      problem: say("The equation of Einsum has {count} {count, plural, one {input} other {inputs}}, but {count2} {n, plural, one {wire arrives} other {wires arrive}}.", {
        count: read.inputs.length,
        count2: shapes.length,
        n: shapes.length,
      }),
      port: "x",
    };
  const sizes = new Map<string, Dim>();
  let rest: Shape | null = null;
  for (const [i, labels] of read.inputs.entries()) {
    const shape = shapes[i] ?? [];
    const named = labels.filter((label) => label !== ELLIPSIS).length;
    const hidden = shape.length - named;
    if (hidden < 0 || (hidden > 0 && named === labels.length))
      return {
        problem: say("{labels} in Einsum's equation names {named} axes, but input {i} is {shape}.", {
          labels: labels.join("") || "Nothing",
          named,
          i: i + 1,
          shape: printShape(shape),
        }),
        port: "x",
      };
    let axis = 0;
    for (const label of labels) {
      if (label === ELLIPSIS) {
        const part = shape.slice(axis, axis + hidden);
        if (rest && JSON.stringify(rest) !== JSON.stringify(part))
          return { problem: say("The axes for which … stands in Einsum's equation differ: {rest} and {part}.", { rest: printShape(rest), part: printShape(part) }), port: "x" };
        rest = part;
        axis += hidden;
        continue;
      }
      const size = shape[axis++] ?? 1;
      const known = sizes.get(label);
      if (known !== undefined && known !== size)
        return { problem: say("The letter {label} in Einsum's equation stands for axes of {known} and of {size}.", { label, known, size }), port: "x" };
      sizes.set(label, size);
    }
  }
  const unknown = read.output.find((label, i) => (label === ELLIPSIS ? rest === null : !sizes.has(label)) || read.output.indexOf(label) !== i);
  if (unknown)
    return wrong(
      sizes.has(unknown)
        ? say("The result of Einsum's equation names {unknown}, which stands there twice.", { unknown })
        : say("The result of Einsum's equation names {unknown}, which no input has.", { unknown }),
    );
  if (rest && !read.output.includes(ELLIPSIS))
    return wrong(say("The axes for which … stands must be in the result of Einsum's equation too."), say("Write ... behind the arrow, or name these axes."));
  return { shape: read.output.flatMap((label) => (label === ELLIPSIS ? (rest ?? []) : [sizes.get(label) ?? 1])), sizes: [...sizes.values(), ...(rest ?? [])] };
}

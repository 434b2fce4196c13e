import { evaluate } from "../../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { broadcastShapes, type Call, type ExpressionFunction, type FunctionParam, resultOf } from "../call.ts";
import { PyText } from "../python.ts";
import type { Tensor } from "../step.ts";
import { written } from "./elementwise.ts";
import { expandDims } from "./shape.ts";

/** Products of matrices and the like. */

const A: FunctionParam = { name: "a", also: ["x", "mat1"] };
const B: FunctionParam = { name: "b", also: ["y", "mat2"] };

/** Multiply-adds of one sample: every symbolic size counts as 1. */
function countOf(sizes: Shape): number {
  return sizes.reduce<number>((product, size) => product * evaluate(size, 1), 1);
}

function matmul(c: Call, a: Tensor, b: Tensor): Tensor {
  const [left, right] = [a.type.shape, b.type.shape];
  const mismatch = (hint: string): never =>
    c.fail(say("{name} cannot multiply {left} with {right}.", { name: c.name, left: printShape(left), right: printShape(right) }), undefined, "GRAPH_SHAPE", hint);
  if (left.length === 0 || right.length === 0) mismatch("Both need at least one axis; * multiplies by a number.");
  const inner = left.at(-1) ?? 1;
  const other = right.at(-2) ?? right.at(-1) ?? 1;
  if (inner !== other) mismatch("The last size of the first must be the last but one of the second; .mT swaps these.");
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (!batch) return mismatch(say("Leading sizes must be equal, or 1."));
  const rows = left.length > 1 ? left.slice(-2, -1) : [];
  const columns = right.length > 1 ? right.slice(-1) : [];
  return resultOf({
    inputs: [a, b],
    types: [{ dtype: "float32", shape: [...batch, ...rows, ...columns] }],
    lower: (e, args) => e.call("aten::matmul", args),
    onnx: (o, args) => o.op("MatMul", args),
    torch: (_, [x, y]) => (x && y ? PyText.binary(x, "@", y) : ""),
    multiplyAdds: countOf([...batch, ...rows, ...columns, inner]),
  });
}

/** The letters of an equation: those of each operand, and of the result. */
function readEquation(c: Call, equation: string, count: number): { operands: string[][]; result: string[] } {
  const text = equation.replaceAll(/\s/g, "");
  const fail = (message: string): never =>
    c.fail(
      `The equation “${equation.slice(0, 40)}” of einsum ${message}`,
      "operands",
      "GRAPH_PARAM",
      say("It reads like ij,jk->ik: letters for the axes of each tensor, then of the result."),
    );
  if (text.includes("...")) fail(say("has dots; name every axis by a letter."));
  const match = /^([A-Za-z,]*)(?:->([A-Za-z]*))?$/.exec(text);
  if (!match) return fail(say("holds something other than letters, commas and ->."));
  const operands = (match[1] ?? "").split(",").map((letters) => [...letters]);
  if (operands.length !== count)
    fail(say("is for {wanted, plural, one {# tensor} other {# tensors}}, but {count, plural, one {# is} other {# are}} given.", { wanted: operands.length, count }));
  const all = operands.flat();
  const once = [...new Set(all)].filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter));
  // Without an arrow: the letters that stand once, in the order of the alphabet.
  const result = match[2] === undefined ? once.toSorted() : [...match[2]];
  const lost = result.find((letter) => !all.includes(letter));
  if (lost !== undefined) fail(say("has {lost} in the result, but in no tensor.", { lost }));
  if (new Set(result).size !== result.length) fail(say("names an axis of the result twice."));
  return { operands, result };
}

export const products: ExpressionFunction[] = [
  {
    names: ["matmul", "bmm", "mm"],
    group: "linear algebra",
    doc: "a @ b: product of matrices, for each of the leading axes.",
    params: [A, B],
    call: (c) => matmul(c, c.float("a"), c.float("b")),
  },
  {
    names: ["dot", "inner", "vdot"],
    group: "linear algebra",
    doc: "Sum of the products of two vectors; product of two matrices.",
    params: [A, B],
    call: (c) => {
      const [a, b] = [c.float("a"), c.float("b")];
      const ranks = [a.type.shape.length, b.type.shape.length];
      if (!(ranks[0] === 1 && ranks[1] === 1) && c.name !== "dot") c.fail(say("{name} takes two vectors.", { name: c.name }), undefined, "GRAPH_SHAPE", say("Use @ for matrices."));
      if (ranks.some((rank) => rank > 2)) c.fail("dot takes vectors and matrices.", undefined, "GRAPH_SHAPE", say("Use @, which takes leading axes too."));
      return matmul(c, a, b);
    },
  },
  {
    names: ["outer"],
    group: "linear algebra",
    doc: "The product of each number of one vector with each of another: a matrix.",
    params: [A, B],
    call: (c) => {
      const [a, b] = [c.numeric("a"), c.numeric("b")];
      if (a.type.shape.length !== 1 || b.type.shape.length !== 1)
        c.fail(`outer takes two vectors but receives ${printShape(a.type.shape)} and ${printShape(b.type.shape)}.`, undefined, "GRAPH_SHAPE");
      return written(c.apply("multiply", expandDims(a, [1]), b), [a, b], ([a, b]) => `torch.outer(${a}, ${b})`);
    },
  },
  {
    names: ["einsum"],
    group: "linear algebra",
    doc: "Products and sums by letters for axes: einsum('bij,bjk->bik', a, b) is a @ b.",
    params: [{ name: "equation" }, { name: "operands", rest: true }],
    call: (c) => {
      const equation = c.text("equation");
      const given = c.tensors("operands");
      if (given.length > 8) c.fail("einsum takes up to 8 tensors.", "operands");
      const tensors = given.map((tensor) => c.asFloat(tensor));
      const { operands, result } = readEquation(c, equation, tensors.length);
      const sizes = new Map<string, Dim>();
      for (const [i, letters] of operands.entries()) {
        const shape = tensors[i]?.type.shape ?? [];
        if (letters.length !== shape.length)
          c.fail(`einsum has ${letters.length} letters for a tensor ${printShape(shape)}.`, "operands", "GRAPH_SHAPE", say("Each axis has one letter."));
        for (const [axis, letter] of letters.entries()) {
          const size = shape[axis] ?? 1;
          const known = sizes.get(letter) ?? size;
          if (known !== size) c.fail(`einsum has ${letter} for axes of ${known} and of ${size}.`, "operands", "GRAPH_SHAPE", say("Axes of one letter must have the same size."));
          sizes.set(letter, size);
        }
      }
      const text = `${operands.map((letters) => letters.join("")).join(",")}->${result.join("")}`;
      return resultOf({
        inputs: tensors,
        types: [{ dtype: "float32", shape: result.map((letter) => sizes.get(letter) ?? 1) }],
        lower: (e, args) => e.call("aten::einsum", [text, args]),
        onnx: (o, args) => o.op("Einsum", args, { equation: text }),
        torch: (_, args) => `torch.einsum("${text}", ${args.join(", ")})`,
        multiplyAdds: countOf([...sizes.values()]),
      });
    },
  },
];

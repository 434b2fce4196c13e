import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateExpression, readExpression } from "../../../core/expression/evaluate.ts";
import { functions } from "../../../core/expression/functions.ts";
import { type Ast, type ExpressionProblem, freeNames, guessNames, LIMITS, parse } from "../../../core/expression/parse.ts";
import type { TensorType } from "../../../core/graph/shape.ts";

/** A tree with all its brackets. */
function show(ast: Ast): string {
  switch (ast.kind) {
    case "number":
      return String(ast.value);
    case "text":
      return JSON.stringify(ast.value);
    case "name":
      return ast.name;
    case "constant":
      return ast.value === null ? "None" : String(ast.value);
    case "tuple":
      return `<${ast.items.map(show).join(",")}>`;
    case "unary":
      return `(${ast.operator}${show(ast.operand)})`;
    case "binary":
      return `(${show(ast.left)}${ast.operator}${show(ast.right)})`;
    case "call":
      return `${ast.name}(${ast.args.map(({ name, value }) => `${name ? `${name}=` : ""}${show(value)}`).join(",")})`;
    case "method":
      return `${show(ast.object)}.${ast.name}(${ast.args.map(({ value }) => show(value)).join(",")})`;
    case "attribute":
      return `${show(ast.object)}.${ast.name}`;
    case "index":
      return `${show(ast.object)}[${ast.items.map((item) => (item.kind === "item" ? show(item.value) : [item.start, item.stop, item.step].map((bound) => (bound ? show(bound) : "")).join(":"))).join(",")}]`;
  }
}

function tree(text: string): string {
  return parse(text)
    .map(({ targets, value }) => `${targets.map(({ name }) => name).join(",")}${targets.length > 0 ? "=" : ""}${show(value)}`)
    .join("; ");
}

function problem(text: string, types?: { [name: string]: TensorType }): Pick<ExpressionProblem, "line" | "column" | "message" | "hint" | "code"> {
  const read = readExpression(text);
  const found = "problem" in read ? read : types && evaluateExpression(read.expression, types);
  if (!found || !("problem" in found)) throw new Error(`${text} is sound.`);
  const { line, column, message, hint, code } = found.problem;
  return { line, column, message, hint, code };
}

describe("operators bind as in Python", () => {
  it.each([
    ["-x**2", "(-(x**2))"],
    ["2**-x**3", "(2**(-(x**3)))"],
    ["a**b**c", "(a**(b**c))"],
    ["a-b-c", "((a-b)-c)"],
    ["a/b*c%d//e", "((((a/b)*c)%d)//e)"],
    ["a+b*c@d", "(a+((b*c)@d))"],
    ["-a*b", "((-a)*b)"],
    ["a@b.T+1", "((a@b.T)+1)"],
    ["~(a>1)&(b<2)|c^d", "(((~(a>1))&(b<2))|(c^d))"],
    ["a & b == c", "((a&b)==c)"],
    ["a < b + 1", "(a<(b+1))"],
    ["-x.mean(1)[0]", "(-x.mean(1)[0])"],
    ["(a, b)", "<a,b>"],
    ["(a,)", "<a>"],
    ["(a)", "a"],
    ["[a, [1, 2]]", "<a,<1,2>>"],
    ["x[:, -1]", "x[::,(-1)]"],
    ["x[..., None, 1:2:3, ::-1]", "x[...,None,1:2:3,::(-1)]"],
    ["f(a, axis=(0, 1), keepdims=True)", "f(a,axis=<0,1>,keepdims=true)"],
    ["np.linalg.norm(x)", "norm(x)"],
    ["torch.nn.functional.gelu(x)", "gelu(x)"],
    ["h = tanh(a); h*b", "h=tanh(a); (h*b)"],
    ["# a comment\nh = (a +\n  b)\n\nh  # the result", "h=(a+b); h"],
    ["y, z = split(x, 2)", "y,z=split(x,2)"],
    ["1_000 + .5 + 1e-3 + 2.", "(((1000+0.5)+0.001)+2)"],
  ])("%s", (text, wanted) => {
    expect(tree(text)).toBe(wanted);
  });
});

describe("what cannot be read is said with its place", () => {
  it.each([
    ["", 1, 1, "Write a formula"],
    ["x +", 1, 4, "but the text ends"],
    ["x + * 2", 1, 5, "“*” stands"],
    ["(x + 1", 1, 1, "The bracket ( is not closed"],
    ["h = x\n(h", 2, 1, "The bracket ( is not closed"],
    ["x y", 1, 3, "an operator or the end of the line"],
    ["x[]", 1, 3, "an index or a range"],
    ["x[1:2:3:4]", 1, 8, "at most two colons"],
    ["3x", 1, 1, "“3x” is no number"],
    ["x $ y", 1, 3, "“$” means nothing"],
    ["x + 'a", 1, 5, "is not closed"],
    ["0 < x < 1", 1, 7, "cannot be chained"],
    ["x and y", 1, 3, "“and” cannot stand"],
    ["x if c else y", 1, 3, "“if” cannot stand"],
    ["lambda x: x", 1, 1, "“lambda” cannot stand"],
    ["x += 1", 1, 3, "Write x = x +"],
    ["a = b = c", 1, 7, "One = a line"],
    ["2 = x", 1, 1, "A name must stand"],
    ["pi = x", 1, 1, "already means something"],
    ["x\ny", 1, 1, "is used by nothing"],
    ["x(2)", 1, 1, "There is no function x"],
    ["2(x)", 1, 2, "Only functions can be called"],
    ["softmx(x)", 1, 1, "There is no function softmx"],
    ["x.men()", 1, 3, "There is no function men"],
    ["softmax(x, axs=1)", 1, 12, "has no argument axs: softmax(x, axis=-1)"],
    ["softmax()", 1, 1, "softmax needs x"],
    ["exp(x, 2)", 1, 8, "takes at most 1 argument"],
    ["sum(x, axis=1, axis=2)", 1, 16, "given twice"],
    ["sum(x, dim=1, axis=2)", 1, 15, "given twice"],
    ["sum(axis=1, x)", 1, 13, "without a name come first"],
    ["x.foo", 1, 1, "There is no attribute foo"],
    ["np.exp", 1, 1, "exp is a function"],
    ["9999999999999999999 * x", 1, 1, "too large"],
    [`${"(".repeat(70)}x`, 1, 65, "nested deeper"],
    ["x".repeat(4001), 1, 4001, "at most 4000 letters"],
    [`x${" + x".repeat(600)}`, 1, 1, "at most 1000 parts"],
  ])("%s", (text, line, column, message) => {
    expect(problem(text)).toMatchObject({ line, column, message: expect.stringContaining(message), code: "GRAPH_PARAM" });
  });

  it("offers the name that was probably meant", () => {
    expect(problem("softmx(x)").hint).toBe("Did you mean softmax?");
    expect(problem("Sigmoid(x)").hint).toBe("Did you mean sigmoid?");
    expect(problem("qqqqqq(x)").hint).toBeUndefined();
  });
});

const f32 = (...shape: (number | string)[]): TensorType => ({ dtype: "float32", shape });
const types: { [name: string]: TensorType } = {
  x: f32("B", 3, 4),
  y: f32("B", 5),
  t: f32("B", "T"),
  n: { dtype: "int64", shape: ["B", 4] },
  c: { dtype: "bool", shape: ["B", 4] },
  img: { dtype: "uint8", shape: ["B", 3] },
};

describe("what does not fit is said with its place", () => {
  it.each([
    ["x * (1 + y)", 1, "GRAPH_SHAPE", "* cannot match [B, 3, 4] with [B, 5]."],
    ["h = x\nh @ y", 1, "GRAPH_SHAPE", "@ cannot multiply [B, 3, 4] with [B, 5]."],
    ["softmax(x, axis=3)", 12, "GRAPH_SHAPE", "softmax finds no axis 3 in a tensor of 3 axes."],
    ["x[:, 3]", 6, "GRAPH_SHAPE", "There is no index 3 in axis 1, which has 3 entries."],
    ["x[1, 2, 3, 0]", 12, "GRAPH_SHAPE", "The slice names 4 axes"],
    ["x[:, 3:3]", 6, "GRAPH_SHAPE", "The range 3:3 holds nothing of axis 1"],
    ["x.reshape(7, -1)", 11, "GRAPH_SHAPE", "reshape cannot lay [B, 3, 4], 12*B numbers, out as [7, -1]."],
    ["where(x, 1, 0)", 7, "GRAPH_DTYPE", "where needs a condition, not float32."],
    ["~x", 1, "GRAPH_DTYPE", "~ turns a condition round"],
    ["c - c", 1, "GRAPH_DTYPE", "Conditions cannot be subtracted"],
    ["x & x", 1, "GRAPH_DTYPE", "& joins conditions or whole numbers"],
    ["img + 1", 1, "GRAPH_DTYPE", "does not take raw bytes"],
    ["x[c]", 3, "GRAPH_DTYPE", "An index must be int64, not bool."],
    ["n ** -1", 1, "GRAPH_DTYPE", "A whole number takes a power"],
    ["n // 0", 1, "GRAPH_PARAM", "Whole numbers cannot be divided by 0."],
    ["einsum('bij,bjk->bik', x, x)", 24, "GRAPH_SHAPE", "einsum has j for axes of 4 and of 3."],
    ["einsum('bij', x, x)", 15, "GRAPH_PARAM", "is for 1 tensor, but 2 are given."],
    ["zeros((2, 3.5))", 7, "GRAPH_PARAM", "shape of zeros must be a whole number, not 3.5."],
    ["zeros((100000, 100000)).sum() + x", 1, "GRAPH_SHAPE", "more than 2147483647 numbers"],
    ["expand_dims(x, (0, 1, 2, 3, 4, 5))", 1, "GRAPH_SHAPE", "8 are the most"],
    ["a, b = x", 8, "GRAPH_PARAM", "Several names need several results."],
    ["a, b = split(x, 3, axis=1)\na", 8, "GRAPH_PARAM", "2 names stand before the =, but there are 3 results."],
    ["split(x, 3, axis=1)", 1, "GRAPH_PARAM", "This gives 3 results."],
    ["x.shape", 1, "GRAPH_PARAM", "This gives 3 results."],
    ["t[:, :t.shape[1] * x.shape[2]] + nothing", 34, "GRAPH_PARAM", "Nothing is known of nothing."],
    ["x.astype(float64)", 10, "GRAPH_PARAM", "float64 is not one of the dtypes here"],
    ["topk(x, 9)", 9, "GRAPH_SHAPE", "topk cannot take 9 of 4."],
  ])("%s", (text, column, code, message) => {
    const read = readExpression(text);
    if ("problem" in read) throw new Error(read.problem.message);
    const evaluated = evaluateExpression(read.expression, types);
    expect("problem" in evaluated && evaluated.problem).toMatchObject({ column, code, message: expect.stringContaining(message) });
  });
});

describe("names", () => {
  it("are inputs in order of first use, unless the text gives them a value before", () => {
    const names = (text: string) => freeNames(parse(text)).map(({ name }) => name);
    expect(names("b + a * b")).toEqual(["b", "a"]);
    expect(names("h = tanh(a); h * b + h")).toEqual(["a", "b"]);
    expect(names("x = x + 1\nx")).toEqual(["x"]);
    expect(names("np.pi * x + pi + inf")).toEqual(["x"]);
    expect(names("x.astype(float) + F.gelu(x) + F")).toEqual(["x", "F"]);
    expect(names("sum(x, axis=k)")).toEqual(["x", "k"]);
  });

  it("name the outputs of the last line", () => {
    const outputs = (text: string) => {
      const read = readExpression(text);
      return "problem" in read ? read.problem.message : read.expression.outputs;
    };
    expect(outputs("x + 1")).toEqual(["y"]);
    expect(outputs("z = x + 1")).toEqual(["z"]);
    expect(outputs("y, z = split(x, 2)")).toEqual(["y", "z"]);
    expect(outputs("_, i = topk(x, 2)")).toEqual(["i"]);
    expect(outputs("h = x; g = x; h, g")).toEqual(["h", "g"]);
    expect(outputs("x, x + 1")).toEqual(["y1", "y2"]);
    expect(outputs("a, a = split(x, 2)")).toBe("a is named twice.");
  });

  it("are guessed from a broken text", () => {
    expect(guessNames("h = tanh(a); h * (b +")).toEqual(["a", "b"]);
    expect(guessNames("softmax(x, axis=")).toEqual(["x"]);
    expect(guessNames("x[:, 1e5 + q")).toEqual(["x", "q"]);
    expect(guessNames("einsum('bij,bjk', a, b.")).toEqual(["a", "b"]);
    expect(guessNames("F.gelu(x) + # not y")).toEqual(["x"]);
  });
});

describe("any text at all", () => {
  const words = [
    ...functions.map(({ names: [name] }) => name),
    ..."x y t n c img h a 0 1 2 -1 0.5 1e9 True None pi inf = == ( ) [ ] , : ... ; + - * / // % ** @ & | ^ ~ < > . .T .shape .mean 'ij->i' \n # np.".split(" "),
    "\n",
    " ",
  ];
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join(" ")),
  );

  it("is read and evaluated, or named as a problem within the text", () => {
    let sound = 0;
    fc.assert(
      fc.property(text, (text) => {
        const read = readExpression(text);
        const given = Object.fromEntries(("problem" in read ? [] : read.expression.inputs).map(({ name }) => [name, types[name] ?? f32("B", 4)]));
        const found = "problem" in read ? read : evaluateExpression(read.expression, given);
        if (!("problem" in found)) {
          sound++;
          return;
        }
        const { start, end, line, column, message } = found.problem;
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(line).toBeGreaterThanOrEqual(1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).toMatch(/\S/);
        if ("problem" in read) expect(read.inputs.length).toBeLessThanOrEqual(LIMITS.inputs);
      }),
      { numRuns: 5000, seed: 1 },
    );
    expect(sound).toBeGreaterThan(20);
  });

  it("takes little time, however it is nested", () => {
    const texts = [
      `x${"[0:]".repeat(900)}`,
      `${"-".repeat(3900)}x`,
      "(".repeat(3900),
      `x${".T".repeat(1900)}`,
      `x${" + x".repeat(400)}`,
      `t = (x, x)\n${"t = (t, t)\n".repeat(95)}len(t) * x`,
      `t = [1, 2]\n${"t = [t, t]\n".repeat(60)}array(t)`,
      `h = x\n${"h = h * h\n".repeat(95)}h`,
      `t = x.shape\n${"t = t + t\n".repeat(60)}x`,
      "n ** 999 ** 999",
      "zeros((2, 2)).reshape(1, 1, 1, 1, -1)",
    ];
    const start = performance.now();
    for (const text of texts) {
      const read = readExpression(text);
      if (!("problem" in read)) evaluateExpression(read.expression, Object.fromEntries(read.expression.inputs.map(({ name }) => [name, types[name] ?? f32("B", 4)])));
    }
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

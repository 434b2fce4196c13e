import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionHelp, functions } from "../../../core/expression/functions.ts";
import { type Ast, parse, partsOf } from "../../../core/expression/parse.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { run } from "../../../native/index.ts";
import { temporaryFolder } from "../../native/specs.ts";
import { missingOracles } from "../../oracle.ts";
import { failuresOf, type Report, tryAll } from "../../property/checks.ts";
import { startPeer } from "../../property/peer.ts";
import { askOracle, BINDINGS, greatestDifference, type Oracle, trialOf } from "./world.ts";

/**
 * Every function of the table: values and gradients of the engine, the exported PyTorch code and ONNX Runtime, and what Python makes
 * of the text itself, as NumPy or PyTorch read it, or of a text that means the same.
 */
const cases: [text: string, oracle: "numpy" | "torch" | Oracle][] = [
  // Operators
  ["x + y", "numpy"],
  ["x - y * 2", "numpy"],
  ["x / 3 - 1 / p[:, None, :]", "numpy"],
  ["n / 2", "numpy"],
  ["n // 2 + n % 3", "numpy"],
  ["x // 0.3", "torch"],
  ["x % 0.7 + x % -0.7", "torch"],
  ["7 // p + 7.5 % p", "torch"],
  ["n // k.clip(1, 3)", "numpy"],
  ["n % -3 * n", "numpy"],
  ["p ** 2 + 2 ** p + p ** -p", "numpy"],
  ["n ** 3", "numpy"],
  ["-x ** 2", "numpy"],
  ["-(-x) + +x", "numpy"],
  ["n * 1.5 + (n > 0) * 2", "numpy"],
  ["(x > 0) + (x < 1)", "numpy"],
  ["(n > 0) * (n < 3)", "numpy"],
  ["x @ m", "numpy"],
  ["x @ s[0].T", "numpy"],
  ["x[0, 0] @ p[0]", "numpy"],
  ["(x > 0) & (x < 1) | ~(x < 1.5) ^ (x == 0)", "numpy"],
  ["n & 3 | k ^ 1", "numpy"],
  ["~n", "numpy"],
  ["n == k, n != k, n < k, n <= k, n > k, n >= k", "numpy"],
  ["x == 0.5, x != y, x < y, x <= 0, 0 > x, x >= 1", "numpy"],
  ["(x > 0) == (y > 0), (x > 0) < (y > 0)", "numpy"],
  ["x > n[:, None, :]", "numpy"],
  ["2 ** 0.5 * pi + x", "numpy"],
  // Math
  ["exp(x) + expm1(x) + exp(n)[:, None]", "numpy"],
  ["log(p) + log2(p) + log10(p) + log1p(p)", "numpy"],
  ["sqrt(p) + reciprocal(p)", "numpy"],
  ["rsqrt(p) + erf(x[:, 0])", "torch"],
  ["sin(x) + cos(x) + tan(u[:, None])", "numpy"],
  ["arcsin(u) + arccos(u) + arctan(u)", "numpy"],
  ["sinh(x) + cosh(x) + tanh(x)", "numpy"],
  ["abs(x) + abs(n[:, None])", "numpy"],
  ["negative(x) + negative(n[:, None])", "numpy"],
  ["square(x), square(n)", "numpy"],
  ["sign(x), sign(n)", "numpy"],
  ["floor(x) + ceil(x) + round(x) + trunc(x)", "numpy"],
  ["floor(n)", "numpy"],
  ["round(x * 2) / 2", "numpy"],
  ["add(x, y) + subtract(x, y) * multiply(x, y) / divide(x, p[:, None])", "numpy"],
  ["floor_divide(x, 0.4) + remainder(x, y)", ["torch", "torch.floor_divide(x, 0.4) + torch.remainder(x, y)"]],
  ["power(p, u) + power(p, 3)", "numpy"],
  ["maximum(x, y), minimum(x, 0.5), maximum(n, k), maximum(n, 0.5)", "numpy"],
  ["logaddexp(x, y)", "numpy"],
  ["arctan2(x, y), arctan2(u, -1)", "numpy"],
  ["hypot(x, y)", "numpy"],
  ["lerp(x, y, 0.3)", ["torch", "torch.lerp(x, y.expand_as(x), 0.3)"]],
  ["exp2(x)", "numpy"],
  ["logit(p / 3)", "torch"],
  ["nan_to_num(log(x)), nan_to_num(x / 0, nan=3)", "numpy"],
  ["isnan(log(x)), isfinite(1 / floor(x))", "numpy"],
  ["clip(x, -1, 1), clip(x, None, 0.5), clip(n, 0, 3), clip(x, y, 1), x.clip(max=0)", "numpy"],
  ["clip(n, -0.5, 0.5)", "numpy"],
  ["x.clamp(1, -1)", "torch"],
  ["equal(n, k), not_equal(n, k), less(n, k), less_equal(n, k), greater(n, k), greater_equal(n, k)", "numpy"],
  ["bitwise_and(n, k), bitwise_or(n, k), bitwise_xor(n, k), bitwise_not(n)", "numpy"],
  ["logical_and(n, k), logical_or(n, k), logical_xor(n, k), logical_not(n)", "numpy"],
  // Activations
  ["sigmoid(x) + silu(x) + mish(x) + logsigmoid(x)", "torch"],
  ["relu(x) + relu6(x * 5) + selu(x) + celu(x, 0.5)", "torch"],
  ["relu(n)", "torch"],
  ["softsign(x) + hardswish(x * 3) + hardsigmoid(x * 3)", "torch"],
  ["leaky_relu(x) + leaky_relu(x, 0.2) + elu(x) + elu(x, alpha=0.5)", "torch"],
  ["softplus(x) + softplus(x * 20, beta=2, threshold=10)", "torch"],
  ["hardtanh(x) + hardtanh(x, -0.5, 0.7) + softshrink(x) + hardshrink(x, 0.7)", "torch"],
  ["gelu(x) + gelu(x, approximate='tanh')", "torch"],
  ["softmax(x, axis=1) + log_softmax(x, axis=-1)", ["torch", "softmax(x, dim=1) + log_softmax(x, dim=-1)"]],
  ["softmax(s, axis=1)", ["torch", "softmax(s, dim=1)"]],
  ["glu(x)", "torch"],
  // Choices
  ["where(x > 0, x, 0.1 * x), where(n > 0, n, 0.5), where(x > y, 1, 0), where(x > 0, x, -inf)", "numpy"],
  ["where(isnan(log(x)), nan, 1.0)", "numpy"],
  // Reductions
  ["sum(x), sum(x, axis=1), sum(x, (0, 2), keepdims=True), sum(n), sum(x > 0, axis=-1)", "numpy"],
  ["x.mean(), x.mean(axis=1), mean(n, axis=1), mean(t, axis=-1, keepdims=True)", "numpy"],
  ["x.max(), x.max(axis=-1), x.min(axis=(0, 1)), n.max(axis=1), n.min()", "numpy"],
  ["ptp(x, axis=1), ptp(n, axis=0, keepdims=True)", "numpy"],
  ["std(x), std(x, axis=-1), var(x, axis=(1, 2)), std(t, axis=1, ddof=1), var(t, axis=0), std(s, axis=(0, 1), ddof=1, keepdims=True)", "numpy"],
  ["(x - mean(x, axis=-1, keepdims=True)) / std(x, axis=-1, keepdims=True)", "numpy"],
  ["x.std(dim=1, correction=1), x.var(dim=1, correction=0, keepdim=True)", "torch"],
  ["argmax(x), argmax(x, axis=1), argmin(x, axis=-1), argmin(n, axis=1), argmax(x, axis=1, keepdims=True)", "numpy"],
  ["argmax(t, axis=0)", "numpy"],
  ["any(x > 1.5), any(x > 1, axis=-1), all(x < 1.5, axis=(0, 1)), all(n, axis=1), any(t > 0, axis=1, keepdims=True)", "numpy"],
  ["logsumexp(x, axis=1)", ["torch", "torch.logsumexp(x, 1)"]],
  ["logsumexp(x * 50, axis=(1, 2), keepdims=True)", ["torch", "torch.logsumexp(x * 50, (1, 2), True)"]],
  [
    "norm(x), norm(x, axis=-1), norm(x, 1, axis=(1, 2)), norm(x, inf, axis=1), norm(x, 3, axis=1, keepdims=True)",
    ["torch", "tuple(torch.linalg.vector_norm(x, *a) for a in ((2,), (2, -1), (1, (1, 2)), (np.inf, 1), (3, 1, True)))"],
  ],
  ["prod(x), prod(x, axis=1), prod(n, axis=1), prod(x, axis=(0, 2), keepdims=True)", "numpy"],
  ["count_nonzero(n, axis=1), count_nonzero(x > 0)", "numpy"],
  ["cumsum(x, axis=1), cumsum(n, axis=0), cumsum(t[0])", "numpy"],
  ["normalize(x) + normalize(x, axis=-1)", ["torch", "F.normalize(x) + F.normalize(x, dim=-1)"]],
  ["cosine_similarity(x, y, axis=-1)", ["torch", "F.cosine_similarity(x, y, dim=-1)"]],
  // Products
  ["matmul(x, m), dot(x[0], m[0]), dot(p[0], u[0])", "numpy"],
  ["softmax(s @ s.mT / sqrt(s.shape[-1]), axis=-1) @ s", ["torch", "torch.softmax(s @ s.mT / s.shape[-1] ** 0.5, dim=-1) @ s"]],
  ["outer(p[0], t[0]), outer(n[0], k[0])", "numpy"],
  ["einsum('bij,bjk->bik', x, m), einsum('bij->ji', x), einsum('bij,bkj', x, s), einsum('bii->bi', m), einsum('bt,bt->', t, t)", "numpy"],
  // Shapes
  ["x.reshape(-1, 12), x.reshape(x.shape[0], -1), reshape(x, (6, -1, 2)), x.reshape(4, 3, -1), t.reshape(-1), s.reshape(s.shape[0], -1), s.reshape(-1, s.shape[1], 2, 2)", "numpy"],
  ["s.reshape(s.shape[0] * s.shape[1], 4), s.reshape(s.shape[1], -1)", "numpy"],
  ["x.flatten(1), x.flatten(0, 1), flatten(s, start_dim=1)", "torch"],
  ["ravel(x), t.ravel()", "numpy"],
  ["transpose(x), x.T, x.transpose(0, 2, 1), transpose(x, (2, 0, 1)), t.T", "numpy"],
  ["x.permute(0, 2, 1), x.transpose(1, 2), x.mT, t.t()", "torch"],
  ["swapaxes(x, 0, -1), moveaxis(x, 0, 2), moveaxis(x, -1, 0)", "numpy"],
  ["squeeze(y, axis=1), expand_dims(x, 1), expand_dims(x, (0, -1)), expand_dims(x, -1).squeeze(-1)", "numpy"],
  ["concatenate([x, y], axis=1), concatenate((n, p), axis=1), concatenate([t, t], axis=0), concatenate([x > 0, y > 0], axis=1)", "numpy"],
  ["stack([x, x * 2], axis=1), stack([n, k], axis=-1)", "numpy"],
  ["a, b = split(x, 2, axis=2)\na - b", "numpy"],
  ["a, b, c = split(x, [1, 3], axis=2)\na, b + a, c", "numpy"],
  ["a, b = x.chunk(2, dim=1)\na + b, b", "torch"],
  ["a, b, c = x.unbind(1)\na * b - c", "torch"],
  ["flip(x), flip(x, axis=1), flip(t, axis=(0, 1))", "numpy"],
  ["roll(x, 1, axis=1), roll(x, -2, axis=2), roll(t, 3, axis=1), roll(t, -7, axis=1)", "numpy"],
  ["tile(x, 2), tile(p, (2, 1, 3)), tile(t, (1, 2)), tile(n, 2)", "numpy"],
  ["repeat(x, 2, axis=1), repeat(s, 3, axis=1), repeat(x > 0, 2, axis=0)", "numpy"],
  ["broadcast_to(y, x.shape), broadcast_to(p[:, None], (p.shape[0], 3, 4))", "numpy"],
  ["y.expand(-1, 3, -1) + broadcast_to(t[:, :1], t.shape).sum()", ["torch", "y.expand(-1, 3, -1) + t[:, :1].expand_as(t).sum()"]],
  ["pad(x, ((0, 0), (1, 2), (0, 1))), pad(x, 1, constant_values=2.5), pad(n, (1, 0)), pad(t, ((0, 0), (2, 0)))", "numpy"],
  ["pad(x, ((0, 0), (2, 1), (3, 3)), mode='reflect'), pad(x, ((0, 0), (0, 0), (1, 2)), mode='edge'), pad(t, ((0, 0), (2, 3)), mode='wrap')", "numpy"],
  ["tril(x), triu(x, 1), tril(m, -1), triu(m > 0), tril(n[None, :])", "numpy"],
  ["diff(x), diff(x, axis=1), diff(t, axis=1)", "numpy"],
  ["x.shape[1] * x, x + x.ndim, x * len(x), x.size * x, ndim(x) + size(x) * y, shape(x)[2] - y", "numpy"],
  ["t * t.shape[1] / t.shape[0], t.shape[1] - t, t + t.shape[1] // 2, sqrt(t.shape[1]) * t", "numpy"],
  // Slices
  ["x[0], x[:, -1], x[..., 1:], x[:, ::2, ::-1], x[None, ..., None], x[1, :, 2:0:-1], x[:, 1:2]", "numpy"],
  ["t[:, 1:], t[:, :-1], t[:, ::2], t[:, ::-2], t[:, -3:], t[:, :3], t[:, t.shape[1] // 2:], t[:, :t.shape[1] - 1:2]", "numpy"],
  ["x[:, :, n[0] % 4], x[0][k[0] % 3], x[:, k % 3], x[n.shape[0] - 1]", "numpy"],
  ["x[..., argmax(x[0, 0])]", "numpy"],
  // Selection
  ["take(x, k[0] % 3, axis=1), take(p, 2, axis=1)", "numpy"],
  ["take_along_axis(p, k, axis=1), take_along_axis(x, argmax(x, axis=1, keepdims=True), axis=1)", "numpy"],
  ["gather(p, 1, k)", "torch"],
  ["one_hot(k, 5) * p[..., None]", "torch"],
  ["v, i = topk(x, 2)\nv, i", "torch"],
  ["v, i = topk(x, 2, axis=1)\nv + i", ["torch", "v, i = topk(x, 2, dim=1)\nv + i"]],
  ["sort(x), sort(x, axis=1), argsort(x), argsort(t, axis=1)", "numpy"],
  ["sort(x, descending=True)", ["torch", "torch.sort(x, descending=True)[0]"]],
  ["detach(x) * 2", "torch"],
  // Creation
  ["zeros_like(x) + ones_like(n)[:, None] + full_like(x, 2.5), zeros_like(n), full_like(x, -1), ones_like(x > 0)", "numpy"],
  ["zeros((2, 3)) + y[:, :, :1], ones((t.shape[0], t.shape[1] - 1)), full((2, 2), 7) * x[0, 0, 0], zeros(3, dtype=int) + n[0, 0]", "numpy"],
  ["eye(3) @ x, eye(t.shape[1]) * t[0]", "numpy"],
  ["arange(4) * x, arange(1, 9, 2) + n, arange(5, 1, -1) + n, arange(t.shape[1]) * t, arange(1, t.shape[1]) * t[:, 1:], arange(0, 1, 0.25) * p", "numpy"],
  ["t * (arange(t.shape[1])[:, None] >= arange(t.shape[1])).sum(axis=0)", "numpy"],
  ["array([1, 2, 3, 4.5]) * x + array([[1], [2], [3]])", "numpy"],
  // Types
  [
    "astype(x, int), x.astype(bool), (x > 0).astype(float), n.astype(float32) / 2",
    ["numpy", "x.astype('int64'), x.astype(bool), (x > 0).astype('float32'), n.astype('float32') / 2"],
  ],
  ["float(n) / 2, int(x), bool(n)", ["numpy", "n.astype('float32') / 2, x.astype('int64'), n.astype(bool)"]],
  ["float(img) / 255 - 0.5, img[:, 0].float()", ["numpy", "img.astype('float32') / 255 - 0.5, img[:, 0].astype('float32')"]],
  // Statements
  ["h = tanh(x)\ng = sigmoid(y)\nh * g + (1 - g) * h", ["torch", "torch.tanh(x) * torch.sigmoid(y) + (1 - torch.sigmoid(y)) * torch.tanh(x)"]],
  ["x = x + 1\nx = x * x\nx - 1", "numpy"],
  ["np.exp(x) + np.linalg.norm(x, axis=-1, keepdims=True) + np.pi", "numpy"],
  ["F.gelu(x) + torch.sigmoid(x) + torch.nn.functional.silu(x)", "torch"],
  ["b, c, d = x.shape\nx.reshape(b * c, d)", "numpy"],
  ["x.reshape(x.shape[:2] + (2, 2)), x.reshape((x.shape[0],) + (-1,))", "numpy"],
];

function printDocs(): string {
  const groups = [...new Set(functionHelp.map(({ group }) => group))];
  return `# Expressions

The Expression node computes a text in the manner of NumPy. Names that the text uses become inputs; the last line is the result, and
lines such as \`h = tanh(a)\` may come before. \`y, z = split(x, 2, axis=1)\` as the last line gives two outputs.

\`\`\`python
scores = q @ k.mT / sqrt(q.shape[-1])
softmax(scores, axis=-1) @ v
\`\`\`

Operators bind as in Python: \`**\`, then \`- + ~\` before a value, \`* / // % @\`, \`+ -\`, \`&\`, \`^\`, \`|\`, and comparisons. Conditions are joined by
\`& | ~\` with parentheses around each. Slices are NumPy's: \`x[:, -1]\`, \`x[..., None, ::-2]\`, \`x[index]\`. Tensors have \`.T .mT .shape .ndim .size\`, and every
function whose first argument is a tensor is a method too: \`x.mean(axis=1)\`. The prefixes \`np. torch. F. math.\` are read over; \`dim\` and \`keepdim\` are
understood for \`axis\` and \`keepdims\`. \`pi\`, \`inf\`, \`nan\`, \`True\`, \`False\`, \`None\` and the dtypes \`float32\`, \`int64\`, \`bool\` have names.

Numbers follow PyTorch: whole numbers and fractions make float32, \`/\` always does, comparisons make conditions. Where NumPy and PyTorch differ under one
name, NumPy's meaning holds: \`std\` and \`var\` divide by n, \`split\` takes the number of parts, \`repeat\` repeats each entry.

This list is written by \`UPDATE_DOCS=1 npx vitest run test/core/expression/functions.test.ts\`; do not edit it.
${groups
  .map(
    (group) => `
## ${group[0]?.toUpperCase()}${group.slice(1)}

| Call | Also | What it does |
| --- | --- | --- |
${functionHelp
  .filter((one) => one.group === group)
  .map(({ signature, also, doc }) => `| \`${signature}\` | ${also.map((name) => `\`${name}\``).join(" ")} | ${doc.replaceAll("|", "\\|").replaceAll("*", "\\*")} |`)
  .join("\n")}
`,
  )
  .join("")}`;
}

/** The functions that a text calls, by the first of their names. */
function calledIn(text: string): string[] {
  const operators: { [operator: string]: string } = { "%": "remainder", "//": "floor_divide" };
  const found: string[] = [];
  const visit = (ast: Ast): void => {
    if (ast.kind === "call" || ast.kind === "method") found.push(functions.find(({ names }) => names.includes(ast.name))?.names[0] ?? ast.name);
    if (ast.kind === "binary" && operators[ast.operator]) found.push(operators[ast.operator] ?? "");
    for (const part of partsOf(ast)) visit(part);
  };
  for (const { value } of parse(text)) visit(value);
  return found;
}

describe("the table of functions", () => {
  it("names no two functions alike", () => {
    const names = functions.flatMap(({ names }) => names);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(functions.length).toBeGreaterThan(140);
  });

  it("says of each what it does and how it is called", () => {
    for (const { name, signature, doc } of functionHelp) {
      expect(signature.startsWith(`${name}(`), name).toBe(true);
      expect(doc, name).toMatch(/\.$/);
    }
    expect(functionHelp.find(({ name }) => name === "std")).toMatchObject({ signature: "std(x, axis=None, ddof=0, keepdims=False)" });
  });

  it("is what docs/expressions.md lists (UPDATE_DOCS=1 writes it)", async () => {
    const file = join(import.meta.dirname, "../../../docs/expressions.md");
    if (process.env.UPDATE_DOCS) await writeFile(file, printDocs());
    expect(await readFile(file, "utf8")).toBe(printDocs());
  });

  it("has a case for every function", () => {
    const covered = new Set(cases.flatMap(([text]) => calledIn(text)));
    expect(functions.map(({ names: [name] }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

const folder = temporaryFolder();
const missing = missingOracles("torch", "numpy", "safetensors");
const peer = missing.length === 0 ? startPeer() : null;
afterAll(() => {
  peer?.stop();
  folder.remove();
});

describe.skipIf(missing.length > 0)(`what expressions come to${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const reports: Report[] = [];
  const oracles: Awaited<ReturnType<typeof askOracle>> = [];

  beforeAll(async () => {
    const trials = cases.map(([text]) => trialOf(text));
    reports.push(...(await tryAll(trials, peer, folder.path)));
    oracles.push(
      ...(await askOracle(
        cases.map(([text, oracle], i) => ({
          oracle: typeof oracle === "string" ? ([oracle, text] as const) : oracle,
          batches: BINDINGS.map((binding) => trials[i]?.draw(binding) ?? {}),
        })),
      )),
    );
  }, 300_000);

  it.each(cases.map(([text], i) => [text, i] as const))("%s", async (text, i) => {
    const report = reports[i];
    if (!report?.accepted) throw new Error(report?.problem ?? "It was not tried.");
    expect(failuresOf(report)).toEqual([]);
    expect(report.outcomes).toMatchObject({ shapes: "held", PyTorch: "held", "ONNX Runtime": "held" });
    const oracle = oracles[i] ?? { error: "Python did not answer." };
    if ("error" in oracle) throw new Error(oracle.error);
    const { graph, draw, outputs } = trialOf(text);
    const program = lowerModel(graph);
    for (const [at, binding] of BINDINGS.entries()) {
      const ours = await run({ program, weights: { seed: 1 }, inputs: draw(binding) });
      for (const [place, name] of outputs.entries()) {
        const theirs = oracle[at]?.[place];
        expect([name, theirs?.shape]).toEqual([name, ours[name]?.shape]);
        // NumPy computes in float64, and sums are taken in other orders.
        expect(greatestDifference(ours[name]?.data ?? [], theirs?.data ?? []), name).toBeLessThanOrEqual(1e-4);
      }
    }
  });

  it("gradients are compared wherever there is something to learn", () => {
    const compared = reports.filter((report) => report.accepted && report.outcomes.gradients === "held").length;
    expect(compared).toBeGreaterThan(90);
  });
});

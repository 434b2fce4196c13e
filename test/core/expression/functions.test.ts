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
import { cases } from "./cases.ts";
import { askOracle, BINDINGS, greatestDifference, trialOf } from "./world.ts";

/**
 * Every function of the table: values and gradients of the engine, the exported PyTorch code and ONNX Runtime, and what Python makes
 * of the text itself, as NumPy or PyTorch read it, or of a text that means the same.
 */
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

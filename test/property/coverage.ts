import { readFileSync, writeFileSync } from "node:fs";
import { layers } from "../../core/layers/index.ts";
import { CHECKS, type Check } from "./checks.ts";

/** What the random cases of one layer came to. `left`: why checks said nothing about some. */
export type Row = {
  type: string;
  drawn: number;
  accepted: number;
  refused: number;
  counts: Map<Check, number>;
  left: Map<Check, Set<string>>;
  /** Parameters outside their range that were refused. */
  invalid: number;
};
/** Rows by the layer's title. */
export type Coverage = Map<string, Row>;

const FILE = new URL("../../docs/coverage.md", import.meta.url);

/** Why a layer has no case at all for a check, by type; what holds for every such layer is in `commonReason`. */
const reasons: { [type: string]: { [check in Check | "parameters" | "cases"]?: string } } = {};

function commonReason(row: Row, column: Check | "parameters"): string | undefined {
  if (column === "parameters") return Object.keys(layers.find(({ type }) => type === row.type)?.params ?? {}).length === 0 ? "it has no parameters" : undefined;
  const left = [...(row.left.get(column) ?? [])].filter((reason) => reason !== "not tried");
  return left.length > 0 ? left.join("; ") : undefined;
}

/** What is missing: layers without enough cases, empty cells without a reason, a table that lists others than there are. */
export function coverageProblems(coverage: Coverage): string[] {
  const problems: string[] = [];
  for (const [title, row] of coverage) {
    if (row.accepted === 0 && !reasons[row.type]?.cases) problems.push(`${title}: no random case was accepted.`);
    for (const column of [...CHECKS, "parameters"] as const) if (cell(row, column) === null) problems.push(`${title}: nothing was checked of ${column}, and no reason is written.`);
  }
  const listed = [...readFileSync(FILE, "utf8").matchAll(/^\| ([^|]+?) \|/gm)].map(([, title = ""]) => title).filter((title) => title !== "layer" && !/^-+$/.test(title));
  const titles = layers.map(({ title }) => title);
  const [absent, gone] = [titles.filter((title) => !listed.includes(title)), listed.filter((title) => !titles.includes(title))];
  if (absent.length > 0) problems.push(`docs/coverage.md does not list ${absent.join(", ")}; write it anew with UPDATE_DOCS=1.`);
  if (gone.length > 0) problems.push(`docs/coverage.md lists ${gone.join(", ")}, which do not exist.`);
  return problems;
}

/** What stands in the table; null where nothing can. */
function cell(row: Row, column: Check | "parameters"): string | null {
  const count = column === "parameters" ? row.invalid : (row.counts.get(column) ?? 0);
  if (count > 0) return String(count);
  const reason = reasons[row.type]?.[column] ?? commonReason(row, column);
  return reason === undefined ? null : `– ${reason}`;
}

/** Writes the table of a whole run. */
export function writeCoverage(coverage: Coverage, cases: number, seed: number): void {
  const lines = [...coverage].map(
    ([title, row]) => `| ${[title, String(row.accepted), String(row.refused), ...[...CHECKS, "parameters" as const].map((column) => cell(row, column) ?? "?")].join(" | ")} |`,
  );
  writeFileSync(
    FILE,
    `# What random cases cover

Written by \`UPDATE_DOCS=1 PROPERTY_CASES=${cases} npx vitest run test/property/layers.test.ts\` with seed ${seed}; do not edit.

Each layer is drawn at random from its own record: parameters, sizes, ranks, dtypes, optional inputs, a symbolic size, batches of different
sizes. *Accepted* cases have no problem by \`checkGraph\`; each of them must run, as the columns after it say. *Refused* ones have, and
nothing takes them: neither the engine nor an export.

- **shapes**: the engine gives the inferred dtype and sizes, on two batches of different sizes.
- **PyTorch**: the exported code in Python computes the same (1e-4).
- **gradients**: those of a random sum of the outputs with respect to every input and weight equal Python's (1e-4), and so do the
  buffers after a step in training mode.
- **ONNX Runtime**: the exported model computes the same (1e-4).
- **parameters**: values outside what a parameter takes are refused with a problem that names it.

| layer | accepted | refused | ${[...CHECKS, "parameters"].join(" | ")} |
|---|---|---|${[...CHECKS, "parameters"].map(() => "---|").join("")}
${lines.join("\n")}
`,
  );
}

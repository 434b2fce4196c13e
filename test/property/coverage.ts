import { readFileSync, writeFileSync } from "node:fs";
import { findLayer, layers } from "../../core/layers/index.ts";
import { CHECKS, type Check } from "./checks.ts";

/** What the random cases of one layer came to. */
export type Row = {
  type: string;
  drawn: number;
  accepted: number;
  refused: number;
  /** How many cases held each check. */
  counts: Map<Check, number>;
  /** Parameters outside their range that were refused. */
  invalid: number;
};
/** Rows by the layer's title. */
export type Coverage = Map<string, Row>;

/** With fewer cases than this, a layer is not tried. */
const FEWEST = 8;
/** So many cases of each layer stand in the written table at least. */
const PROMISED = 200;
const FILE = new URL("../../docs/coverage.md", import.meta.url);

type Column = Check | "parameters";
const COLUMNS: readonly Column[] = [...CHECKS, "parameters"];

/** Why a layer has no case at all for a column. Layers that say why in their own record need no line here. */
const reasons: { readonly [type: string]: { readonly [column in Column]?: string } } = {
  target: Object.fromEntries(CHECKS.map((check) => [check, "only training gives it a value: see test/native/target.test.ts"])),
};

function reasonOf({ type }: Row, column: Column): string | undefined {
  const layer = findLayer(type);
  const written = reasons[type]?.[column];
  if (written !== undefined || !layer) return written;
  if (column === "parameters") return Object.keys(layer.params).length === 0 ? "it has none" : undefined;
  if (column !== "shapes" && layer.random) return "it draws new numbers on every pass";
  return column === "gradients" && layer.gradient === false ? "none flows through it" : undefined;
}

/** What is missing, as far as it could be tried: layers without enough cases, empty cells without a reason, a table that lists others than there are. */
export function coverageProblems(coverage: Coverage, hasPython: boolean): string[] {
  const problems: string[] = [];
  for (const [title, row] of coverage) {
    if (row.accepted < FEWEST && !reasons[row.type]) problems.push(`${title}: only ${row.accepted} of ${row.drawn} random cases are accepted; give it a hint in hints.ts.`);
    for (const column of COLUMNS)
      if (cell(row, column) === null && (hasPython || (column !== "PyTorch" && column !== "gradients")))
        problems.push(`${title}: nothing was checked of ${column}, and no reason is written.`);
    if (findLayer(row.type)?.gradient === false && (row.counts.get("gradients") ?? 0) > 0)
      problems.push(`${title}: its record says that no gradient flows through it, and one does.`);
  }
  const listed = listedRows().map(([title]) => title);
  const titles = layers.map(({ title }) => title);
  const [absent, gone] = [titles.filter((title) => !listed.includes(title)), listed.filter((title) => !titles.includes(title))];
  if (absent.length > 0) problems.push(`docs/coverage.md does not list ${absent.join(", ")}; write it anew with UPDATE_DOCS=1.`);
  if (gone.length > 0) problems.push(`docs/coverage.md lists ${gone.join(", ")}, which do not exist.`);
  problems.push(...listedRows().flatMap(([title, line]) => problemsOfLine(title, line)));
  return problems;
}

/** What is wrong with a written line: fewer cases than are promised, an empty cell without the reason that the code gives for it, or one that has another. */
function problemsOfLine(title: string, line: string): string[] {
  const layer = layers.find((one) => one.title === title);
  if (!layer) return [];
  const [, accepted = "", , ...cells] = line
    .split("|")
    .slice(1, -1)
    .map((text) => text.trim());
  const row: Row = { type: layer.type, drawn: 0, accepted: 0, refused: 0, counts: new Map(), invalid: 0 };
  return COLUMNS.flatMap((column, i) => {
    const reason = reasonOf(row, column);
    const told = reason === undefined ? null : `– ${reason}`;
    if (cells[i] === told) return [];
    // Gradients flow into numbers only, and of some cases all inputs are whole: a Cast between two kinds of float is seldom drawn.
    const least = column === "gradients" ? PROMISED / 10 : PROMISED;
    const isEnough = /^\d+$/.test(cells[i] ?? "") && Number(cells[i]) >= least && (reasons[layer.type] !== undefined || Number(accepted) >= PROMISED);
    return isEnough ? [] : [`docs/coverage.md has “${cells[i]}” for ${column} of ${title}, which is neither ${least} cases and more nor a reason that is known.`];
  });
}

/** The lines of the table as it is, by the title of their layer. */
function listedRows(): [title: string, line: string][] {
  const rows = [...readFileSync(FILE, "utf8").matchAll(/^\| ([^|]+?) \|.*$/gm)].map(([line, title = ""]): [string, string] => [title, line]);
  return rows.filter(([title]) => title !== "layer");
}

/** What stands in the table; null where nothing can. */
function cell(row: Row, column: Column): string | null {
  const count = column === "parameters" ? row.invalid : (row.counts.get(column) ?? 0);
  if (count > 0) return String(count);
  const reason = reasonOf(row, column);
  return reason === undefined ? null : `– ${reason}`;
}

/** Writes the table, where a run of some layers leaves the lines of the others as they are. */
export function writeCoverage(coverage: Coverage, cases: number, seed: number): void {
  const written = new Map(listedRows());
  for (const [title, row] of coverage)
    written.set(title, `| ${[title, String(row.accepted), String(row.refused), ...COLUMNS.map((column) => cell(row, column) ?? "?")].join(" | ")} |`);
  const lines = layers.flatMap(({ title }) => written.get(title) ?? []);
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

| layer | accepted | refused | ${COLUMNS.join(" | ")} |
|---|---|---|${COLUMNS.map(() => "---|").join("")}
${lines.join("\n")}
`,
  );
}

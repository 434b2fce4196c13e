import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { architectures } from "../../core/architectures/index.ts";
import { functions } from "../../core/expression/functions.ts";
import { gapsOf, partsOf } from "../../core/language/message.ts";
import { textsOf } from "../../core/language/records.ts";
import { layers } from "../../core/layers/index.ts";
import { pretrained } from "../../core/pretrained/index.ts";
import { tasks } from "../../core/tasks/index.ts";
import { templates } from "../../core/templates/index.ts";
import { losses } from "../../core/training/losses/index.ts";
import { derivedMetrics, metrics } from "../../core/training/metrics/index.ts";
import { optimizers } from "../../core/training/optimizers/index.ts";
import { schedules } from "../../core/training/schedules/index.ts";

/** Finds every text that people read in the sources: `npm run strings` writes them down, test/language/strings.test.ts compares. */

const root = join(import.meta.dirname, "../..");
export const STRINGS_FILE = join(root, "core/language/strings.json");

/** Attributes and fields whose words people see or hear. */
const READ = new Set(
  "label aria-label aria-valuetext aria-roledescription title what placeholder doc text hint words heading emptyWords description alt action note message problem under word".split(
    " ",
  ),
);
/** Functions whose first argument people see. */
const TELLS = new Set(["notify", "refused", "useRefresh", "useChanged", "complain", "setSaid", "setProblem"]);
/** What reads the same in every language: our own name, those of other programs and formats, and code. */
const SAME_EVERYWHERE =
  /^(Tensorloom|PyTorch|ONNX|ONNX Runtime|Keras|NumPy|GitHub|Google|CSV|JSON|PNG|JPEG|Esc|Del|Ctrl|Alt|Shift|Tab|Space|Home|End|bf16|fp16|float32|int64|cpu|cuda|lr|L[12]|[A-Z]|[a-z]|\W*)$/;

export type Found = {
  /** The files that say it, by text. */
  strings: Map<string, Set<string>>;
  /** Texts that people would see in English in every language, with their place. */
  outside: string[];
  /** Texts whose gaps are not what is put into them. */
  wrong: string[];
};

/** Reads the sources. `app/` must say every text; `core/` and `server/` are read for what they say. */
export function findStrings(): Found {
  const found: Found = { strings: new Map(), outside: [], wrong: [] };
  for (const file of globSync("{app,core,server}/**/*.{ts,tsx}", { cwd: root }).sort()) readSource(file, readFileSync(join(root, file), "utf8"), found);
  for (const [place, records] of Object.entries(registries)) for (const record of records) for (const text of textsOf(record)) add(found, text, place);
  return found;
}

const registries: { [place: string]: readonly object[] } = {
  "core/layers": layers,
  "core/training/losses": losses,
  "core/training/metrics": [...metrics, ...derivedMetrics],
  "core/training/optimizers": optimizers,
  "core/training/schedules": schedules,
  "core/tasks": tasks,
  "core/templates": templates,
  "core/architectures": architectures,
  "core/pretrained": pretrained,
  "core/expression": functions,
};

function add({ strings }: Found, text: string, place: string): void {
  const places = strings.get(text);
  if (places) places.add(place);
  else strings.set(text, new Set([place]));
}

function readSource(file: string, text: string, found: Found): void {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const says = /language\/say\.ts"|\.\/say\.ts"/.test(text);
  const mustSay = file.startsWith("app/");
  const place = (node: ts.Node) => `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

  const visit = (node: ts.Node): void => {
    if (says && ts.isCallExpression(node) && node.expression.getText() === "say") {
      for (const literal of literalsOf(node.arguments[0])) sayIt(literal, node.arguments[1], false, node);
      node.arguments[1]?.forEachChild(visit);
      return;
    }
    if (ts.isJsxSelfClosingElement(node) && node.tagName.getText() === "Say") {
      for (const literal of literalsOf(attribute(node, "text"))) sayIt(literal, attribute(node, "with"), true, node);
      attribute(node, "with")?.forEachChild(visit);
      return;
    }
    if (mustSay) lookOutside(node);
    node.forEachChild(visit);
  };

  function sayIt(english: string, gaps: ts.Node | undefined, tags: boolean, node: ts.Node): void {
    add(found, english, file);
    if (!gaps) return;
    try {
      const wanted = new Set([...gapsOf(partsOf(english, tags))].map((name) => name.replace(/[<>]/g, "")));
      if (!ts.isObjectLiteralExpression(gaps) || gaps.properties.some((one) => ts.isSpreadAssignment(one))) return;
      const given = new Set(gaps.properties.map((one) => one.name?.getText() ?? ""));
      for (const name of wanted) if (!given.has(name)) found.wrong.push(`${place(node)} nothing is given for {${name}} in “${english}”`);
    } catch (error) {
      found.wrong.push(`${place(node)} ${error instanceof Error ? error.message : error}`);
    }
  }

  function lookOutside(node: ts.Node): void {
    const literals = ts.isJsxText(node)
      ? isCode(node)
        ? []
        : [node.text.trim()]
      : ts.isJsxAttribute(node) && READ.has(node.name.getText())
        ? literalsOf(node.initializer)
        : ts.isPropertyAssignment(node) && READ.has(node.name.getText()) && node.name.getText() !== "what"
          ? literalsOf(node.initializer)
          : ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)
            ? literalsOf(node.expression)
            : ts.isCallExpression(node) && TELLS.has(node.expression.getText())
              ? literalsOf(node.arguments[0])
              : [];
    for (const literal of literals) if (/\p{L}{2}/u.test(literal) && !SAME_EVERYWHERE.test(literal.trim())) found.outside.push(`${place(node)} ${literal}`);
  }
  visit(source);
}

/** The texts that an expression may be: a literal, the fixed parts of a template, either branch of a choice. */
function literalsOf(node: ts.Node | undefined): string[] {
  if (!node) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [[node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join(" ")];
  if (ts.isJsxExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return literalsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node))
    return node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken ? literalsOf(node.right) : isChoice(node) ? [...literalsOf(node.left), ...literalsOf(node.right)] : [];
  return [];
}

function isChoice(node: ts.BinaryExpression): boolean {
  return node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken || node.operatorToken.kind === ts.SyntaxKind.BarBarToken;
}

function attribute(element: ts.JsxSelfClosingElement, name: string): ts.Expression | undefined {
  for (const one of element.attributes.properties) {
    if (!ts.isJsxAttribute(one) || one.name.getText() !== name || !one.initializer) continue;
    return ts.isJsxExpression(one.initializer) ? one.initializer.expression : one.initializer;
  }
  return undefined;
}

function isCode(node: ts.Node): boolean {
  return ts.isJsxElement(node.parent) && /^(code|pre)$/.test(node.parent.openingElement.tagName.getText());
}

/** The catalogue as it is kept: sorted, a line a text, so that two people's new texts seldom meet. */
export function printStrings({ strings }: Found): string {
  const lines = [...strings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, places]) => `  ${JSON.stringify(text)}: ${JSON.stringify([...places].sort())}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const found = findStrings();
  writeFileSync(STRINGS_FILE, printStrings(found));
  console.log(`${found.strings.size} texts are in core/language/strings.json.`);
  for (const line of [...found.outside, ...found.wrong]) console.log(line);
  if (found.outside.length + found.wrong.length > 0) process.exitCode = 1;
}

import { isMissing, readNumber, TABLE_LIMITS, type TablePlan } from "../../core/data/table.ts";
import { splitText, TEXT_LIMITS } from "../../core/data/text.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { checkNames, NumberCells, TextCells } from "./cells.ts";
import { Parts } from "./parts.ts";
import { IngestError, type Prepared } from "./source.ts";
import { readTable } from "./tableFile.ts";
import { type Labelled, prepareText } from "./text.ts";

/** A column of texts, and what is to be told of each: its class, or a number. Rows without either are left out. */
export async function prepareOwnTexts(file: string, fileName: string, plan: TablePlan): Promise<Prepared> {
  const { text: how, target: at, task, split } = plan;
  const targetName = plan.columns[at]?.name;
  if (!how || targetName === undefined || plan.columns[how.column] === undefined)
    throw new IngestError("TABLE_PLAN", say("Choose the column that holds the texts, and what is predicted."));
  if (how.column === at)
    throw new IngestError("TABLE_PLAN", say('"{targetName}" is both the text and what is predicted of it: choose another column for one of them.', { targetName }));
  const isClass = task === "text-classification";
  if (!isClass && split.how === "stratified") throw new IngestError("TABLE_PLAN", say("Only classes can be kept in proportion: split a measured value at random."));
  const target = isClass ? new TextCells(targetName, TABLE_LIMITS.classes) : new NumberCells(readNumber);
  const parts = new Parts(plan);
  const texts = new Map<number, string>();
  let [rows, characters] = [0, 0];
  const names = await readTable(file, plan.form, (cells, line) => {
    parts.add(cells, line);
    const isKnown = target.add(cells[at], line);
    const text = cells[how.column] ?? "";
    if (isKnown && isReadable(text, how.tokenizer)) {
      texts.set(rows, text);
      characters += text.length;
      checkSize(characters, `The texts up to line ${line}`);
    }
    rows++;
  });
  checkNames(names, plan);
  const kept = [...texts.keys()];
  const classes = target instanceof TextCells ? target.inOrder(kept) : null;
  if (classes && classes.names.length === 1)
    throw new IngestError(
      "DATASET_ONE_CLASS",
      say('Every row has the same {targetName}, "{names}". There is nothing to tell apart: choose another column to predict.', { targetName, names: String(classes.names[0]) }),
    );
  const labelled: Labelled[] = [...texts].map(([row, text]) => ({ text, target: classes ? classes.numberOf(row) : target instanceof NumberCells ? target.at(row) : 0 }));
  const given = parts.given(kept);
  const heldBack = given && new Set(given.validation);
  return {
    ...prepareText(labelled, {
      ...(heldBack ? { isHeldBack: kept.map((row) => heldBack.has(row)) } : {}),
      classes: classes?.names ?? [],
      targetName,
      tokenizer: how.tokenizer,
      length: how.length,
      seed: split.seed,
      validationShare: split.validationShare,
      stratified: split.how === "stratified",
    }),
    table: { missing: [], rowsLeftOut: rows - kept.length, split },
    source: `${fileName}, column ${plan.columns[how.column]?.name}, ${printCount(rows)} rows${rows > kept.length ? `, of which ${printCount(rows - kept.length)} without a text or a ${targetName} are left out` : ""}`,
    licence: "Your own",
  };
}

/** Whether there is anything in a cell that a tokenizer reads. */
export function isReadable(text: string, tokenizer: Parameters<typeof splitText>[1]): boolean {
  return !isMissing(text) && splitText(text.slice(0, 1_000), tokenizer).length > 0;
}

/** @throws IngestError TEXT_TOO_LARGE */
export function checkSize(characters: number, what: string): void {
  if (characters > TEXT_LIMITS.characters)
    throw new IngestError(
      "TEXT_TOO_LARGE",
      say("{what} are more than {characters} characters, the limit. Bring a part of it.", { what, characters: printCount(TEXT_LIMITS.characters) }),
    );
}

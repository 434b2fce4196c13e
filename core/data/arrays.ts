import { z } from "zod";
import { say } from "../language/say.ts";
import { splitIn } from "./split.ts";

/** What NumPy arrays of a person's own may be at most. */
export const ARRAY_LIMITS = { arrays: 64, rows: 5_000_000, columns: 4_096, classes: 1_000, arrayBytes: 2 ** 30 };

/** How the axes of the input are read, the sample always first. */
export const ArrayLayout = z.enum(["table", "grey", "channels-last", "channels-first", "sequence"]);
export type ArrayLayout = z.infer<typeof ArrayLayout>;

/** What the target says of a row: the number or name of its class, a 1 at the place of its class, or measured values. */
export const ArrayTarget = z.enum(["classes", "one-hot", "values"]);
export type ArrayTarget = z.infer<typeof ArrayTarget>;

/** What is done with rows that hold NaN or infinity: left out, or the mean of the training rows instead. */
export const NotFiniteRule = z.enum(["leave-out", "mean"]);

const Parts = z.strictObject({
  input: z.string(),
  /** Null: the target is a column of the input. */
  target: z.string().nullable(),
  lengths: z.string().nullable(),
});

/** How arrays become a data set: what a person has seen and corrected. */
export const ArrayPlan = z.strictObject({
  train: Parts,
  /** Arrays of the validation rows, where the file holds them apart. */
  validation: Parts.nullable(),
  layout: ArrayLayout,
  learns: ArrayTarget,
  /** Of a table that holds its own target: the place of that column. */
  targetColumn: z.int().min(0).nullable(),
  /** Arrays of text that name the columns and the classes. */
  columnNames: z.string().nullable(),
  classNames: z.string().nullable(),
  notFinite: NotFiniteRule.nullable(),
  split: splitIn(["given", "random", "stratified"]),
});
export type ArrayPlan = z.infer<typeof ArrayPlan>;

/** What a manifest keeps of how arrays were read. */
export const Arrays = z.strictObject({ plan: ArrayPlan, rowsLeftOut: z.int() });

/** What is in an array, as counted over the whole of it. */
export const ArrayFacts = z.strictObject({
  name: z.string(),
  /** NumPy's name of the type: `<f4`. */
  descr: z.string(),
  kind: z.enum(["float", "int", "uint", "bool", "text", "bytes"]),
  shape: z.array(z.int()),
  least: z.number().nullable(),
  most: z.number().nullable(),
  /** NaN and infinite ones. */
  notFinite: z.int(),
  integers: z.boolean(),
  /** How many different items there are; null where there are too many, or it is no list of one item a row. */
  distinct: z.int().nullable(),
  /** Whether each row has a single 1, and 0 elsewhere. */
  oneHot: z.boolean(),
  /** Of a table: whether its last column holds whole numbers, and how many different ones (null: too many). */
  last: z.strictObject({ integers: z.boolean(), distinct: z.int().nullable() }).nullable(),
  /** The first items, as text. */
  preview: z.array(z.string()),
});
export type ArrayFacts = z.infer<typeof ArrayFacts>;

/** What a person is shown of arrays before they are read in. */
export const ArraysFound = z.strictObject({ ok: z.literal(true), arrays: z.array(ArrayFacts), plan: ArrayPlan });
export type ArraysFound = z.infer<typeof ArraysFound>;

type Role = "input" | "target" | "lengths" | "columns" | "classes";
const validationWord = /^(validation|valid|val|test|dev|eval|holdout)$/;
const roleWords: [Role, RegExp][] = [
  ["lengths", /^(lengths?|lens?|seqlens?)$/],
  ["target", /^(y|ys|targets?|labels?|class|classes|outputs?|annotations?)$/],
  ["input", /^(x|xs|inputs?|data|images?|imgs?|features?|samples?|pixels|tokens|sequences?)$/],
];

/** What a name says of an array: `X_test`, `validation_y`, `trainLabels`. */
function readName(name: string): { role: Role | null; isValidation: boolean } {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const isValidation = words.some((word) => validationWord.test(word));
  const joined = words.filter((word) => !validationWord.test(word) && !/^(train|training)$/.test(word)).join(" ");
  if (/^(columns?|(feature|column) names?)$/.test(joined)) return { role: "columns", isValidation };
  if (/^(class|label|target) names?$/.test(joined)) return { role: "classes", isValidation };
  // `x train` and `x1` are inputs as much as `x` is.
  const role = roleWords.find(([, form]) => joined.split(" ").some((word) => form.test(word.replace(/\d+$/, ""))))?.[0] ?? null;
  return { role, isValidation };
}

const isText = ({ kind }: ArrayFacts) => kind === "text" || kind === "bytes";
const rowsOf = ({ shape }: ArrayFacts) => shape[0] ?? 0;
const itemsPerRow = ({ shape }: ArrayFacts) => shape.slice(1).reduce((product, size) => product * size, 1);

/** A plan to begin with, or why there is none. */
export function guessArrayPlan(arrays: readonly ArrayFacts[]): ArrayPlan | { code: string; message: string } {
  const named = arrays.map((array) => ({ array, ...readName(array.name) }));
  // Texts can be named y too, but columns and class names are always texts.
  const textNamed = (role: Role) => named.find((one) => one.role === role && isText(one.array) && one.array.shape.length === 1)?.array.name ?? null;
  const [columnNames, classNames] = [textNamed("columns"), textNamed("classes")];
  const rest = named.filter(({ array }) => array.name !== columnNames && array.name !== classNames && array.shape.length > 0);
  const numbers = rest.filter(({ array, role }) => !isText(array) && array.shape.length >= 2 && role !== "target" && role !== "lengths");
  const input = (numbers.find(({ role, isValidation }) => role === "input" && !isValidation) ?? largest(numbers.filter(({ isValidation }) => !isValidation)) ?? numbers[0])?.array;
  if (!input)
    return {
      code: "DATASET_EMPTY",
      message: say("There is no array with a row for each sample: an input needs at least two axes, such as [rows, columns] or [rows, height, width]."),
    };

  const partner = (of: ArrayFacts, role: "target" | "lengths", inValidation: boolean) => {
    const fitting = rest.filter(({ array, isValidation }) => array.name !== of.name && rowsOf(array) === rowsOf(of) && isValidation === inValidation);
    const said = fitting.find((one) => one.role === role);
    if (said || role === "lengths") return said?.array.name ?? null;
    return fitting.find((one) => one.role === null && itemsPerRow(one.array) <= 1_000 && itemsPerRow(one.array) <= itemsPerRow(of))?.array.name ?? null;
  };
  const lengths = partner(input, "lengths", false);
  const layout = lengths !== null && layoutsOf(input).includes("sequence") ? "sequence" : guessLayout(input);
  const sizes = input.shape.slice(1).join();
  const other = rest.find(
    ({ array, isValidation, role }) => isValidation && (role === "input" || role === null) && array.shape.slice(1).join() === sizes && array.name !== input.name,
  )?.array;
  const target = partner(input, "target", false);
  const validationTarget = other ? partner(other, "target", true) : null;
  const found = arrays.find(({ name }) => name === target);
  const learns: ArrayTarget = found ? guessLearns(found) : input.last && isFew(input.last) ? "classes" : "values";
  const given = other !== undefined && (target === null) === (validationTarget === null);
  return {
    train: { input: input.name, target, lengths },
    validation: given ? { input: other.name, target: validationTarget, lengths: partner(other, "lengths", true) } : null,
    layout,
    learns,
    targetColumn: target === null && layout === "table" ? (input.shape[1] ?? 1) - 1 : null,
    columnNames,
    classNames,
    notFinite: null,
    split: { how: given ? "given" : learns === "values" ? "random" : "stratified", validationShare: 0.2, seed: 1 },
  };
}

function largest<T extends { array: ArrayFacts }>(of: readonly T[]): T | undefined {
  return of.toSorted((a, b) => itemsPerRow(b.array) - itemsPerRow(a.array))[0];
}

/** What the axes of an array most likely are. */
function guessLayout({ shape, kind }: ArrayFacts): ArrayLayout {
  const [, a = 0, b = 0, c = 0] = shape;
  const isChannels = (size: number) => size === 1 || size === 3;
  if (shape.length === 4) return isChannels(c) && !(isChannels(a) && b === c) ? "channels-last" : "channels-first";
  if (shape.length === 3) return kind === "uint" || (a === b && a >= 8) ? "grey" : "sequence";
  return "table";
}

/** The layouts that an array's axes allow. */
export function layoutsOf({ shape, kind }: Pick<ArrayFacts, "shape" | "kind">): ArrayLayout[] {
  if (shape.length === 2) return kind === "int" || kind === "uint" ? ["table", "sequence"] : ["table"];
  if (shape.length === 3) return ["grey", "sequence", "table"];
  return shape.length === 4 ? ["channels-last", "channels-first", "table"] : ["table"];
}

const isFew = ({ integers, distinct }: { integers: boolean; distinct: number | null }) => integers && distinct !== null && distinct <= 50;

function guessLearns(target: ArrayFacts): ArrayTarget {
  if (isText(target)) return "classes";
  if (target.oneHot && itemsPerRow(target) > 1) return "one-hot";
  if (itemsPerRow(target) > 1) return "values";
  const { kind, distinct } = target;
  if (kind === "bool") return "classes";
  return isFew(target) || (kind !== "float" && distinct !== null && distinct <= ARRAY_LIMITS.classes && distinct <= rowsOf(target) / 4) ? "classes" : "values";
}

/** What an array can say as a target. */
export function targetsOf(target: ArrayFacts): ArrayTarget[] {
  if (isText(target)) return ["classes"];
  return itemsPerRow(target) > 1 ? (target.oneHot ? ["one-hot", "values"] : ["values"]) : ["classes", "values"];
}

/** What a data set of these arrays is for. */
export function taskOf({
  layout,
  learns,
}: Pick<ArrayPlan, "layout" | "learns">): "image-classification" | "tabular-classification" | "tabular-regression" | "text-classification" | null {
  if (layout === "table") return learns === "values" ? "tabular-regression" : "tabular-classification";
  if (learns === "values") return null;
  return layout === "sequence" ? "text-classification" : "image-classification";
}

import { ARRAY_LIMITS, type ArrayFacts, type ArraysFound, guessArrayPlan } from "../../core/data/arrays.ts";
import { readNumbers, readTexts } from "../../core/data/npy.ts";
import { openArrays, type StoredArray } from "./arrayFile.ts";
import { IngestError } from "./source.ts";

const PREVIEW_ITEMS = 12;

/** Reads every array of a file once and counts what is in it. */
export async function inspectArrays(file: string): Promise<ArraysFound> {
  const arrays: ArrayFacts[] = [];
  for (const array of await openArrays(file)) arrays.push(await countArray(array));
  const plan = guessArrayPlan(arrays);
  if ("code" in plan) throw new IngestError(plan.code, plan.message);
  return { ok: true, arrays, plan };
}

async function countArray(array: StoredArray): Promise<ArrayFacts> {
  const { name, descr, shape, type, isFortran } = array;
  const isText = type.kind === "text" || type.kind === "bytes";
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const facts = { name, descr, kind: type.kind, shape };
  const values = new Distinct();
  const lastValues = new Distinct();
  let [least, most, notFinite, item, integers] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, true];
  // Of each row that is under way: its sum, and whether it is all 0 and 1.
  let [rowSum, rowAt] = [0, 0];
  let oneHot = shape.length === 2 && width > 1 && width <= ARRAY_LIMITS.classes && !isText && !isFortran;
  const hasLast = shape.length === 2 && width <= ARRAY_LIMITS.columns && !isText;
  const lastFrom = isFortran ? (width - 1) * array.rows : null;
  const preview: string[] = [];
  for await (const part of inItems(array)) {
    if (isText) {
      for (const text of readTexts(type, part)) {
        if (preview.length < PREVIEW_ITEMS) preview.push(text.slice(0, 40));
        values.add(text);
      }
      continue;
    }
    const numbers = readNumbers(type, part);
    for (let i = 0; i < numbers.length; i++, item++) {
      const value = numbers[i] as number;
      if (preview.length < PREVIEW_ITEMS) preview.push(String(Number(value.toPrecision(5))));
      if (!Number.isFinite(value)) {
        notFinite++;
        oneHot = false;
        continue;
      }
      if (value < least) least = value;
      if (value > most) most = value;
      if (integers && !Number.isInteger(value)) integers = false;
      if (width === 1) values.add(value);
      else if (hasLast && (lastFrom === null ? item % width === width - 1 : item >= lastFrom)) lastValues.add(value);
      if (!oneHot) continue;
      if (value !== 0 && value !== 1) oneHot = false;
      rowSum += value;
      if (++rowAt === width) {
        if (rowSum !== 1) oneHot = false;
        [rowSum, rowAt] = [0, 0];
      }
    }
  }
  const isCounted = !isText && Number.isFinite(least);
  return {
    ...facts,
    least: isCounted ? least : null,
    most: isCounted ? most : null,
    notFinite,
    integers: isCounted && integers,
    distinct: width === 1 || isText ? values.count : null,
    oneHot: oneHot && array.rows > 0,
    last: hasLast && width > 1 ? { integers: lastValues.integers, distinct: lastValues.count } : null,
    preview,
  };
}

/** The bytes in pieces that hold whole items. */
async function* inItems({ type: { itemBytes }, stream }: StoredArray): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const part of stream()) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, part]) : part;
    const whole = bytes.length - (bytes.length % itemBytes);
    if (whole > 0) yield bytes.subarray(0, whole);
    rest = Buffer.from(bytes.subarray(whole));
  }
}

/** Counts different items until there are more than can be classes. */
class Distinct {
  #seen: Set<number | string> | null = new Set();
  integers = true;

  add(value: number | string): void {
    if (this.integers && !Number.isInteger(value)) this.integers = false;
    if (this.#seen === null) return;
    this.#seen.add(value);
    if (this.#seen.size > ARRAY_LIMITS.classes) this.#seen = null;
  }

  get count(): number | null {
    return this.#seen?.size ?? null;
  }
}

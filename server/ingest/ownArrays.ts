import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ARRAY_LIMITS, type ArrayPlan, taskOf } from "../../core/data/arrays.ts";
import { Manifest } from "../../core/data/manifest.ts";
import { itemSizeBytes, type NpyDtype, npyHeaderOf, readNumbers, readTexts } from "../../core/data/npy.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { FileStore } from "../storage/files.ts";
import { openArrays, openRows, type RowReader, readWhole, type StoredArray } from "./arrayFile.ts";
import { splitRows } from "./shuffle.ts";
import { IngestError } from "./source.ts";
import { datasetFolder } from "./write.ts";

const CHUNK_BYTES = 1 << 20;

type Find = (name: string) => StoredArray;

/**
 * A NumPy file of a person's own as their plan says. Rows are written one after the other: no input is whole in memory but a small one.
 * Mean and standard deviation are those of the training rows.
 */
export async function writeOwnArrays(
  files: FileStore,
  datasetId: string,
  source: { file: string; name: string },
  plan: ArrayPlan,
): Promise<{ manifest: Manifest; sizeBytes: number }> {
  const arrays = new Map((await openArrays(source.file)).map((array) => [array.name, array]));
  const find: Find = (name) => {
    const array = arrays.get(name);
    if (!array) throw new IngestError("ARRAY_PLAN", say("The file has no array {name}. Add the file again.", { name: quote(name) }));
    return array;
  };
  const task = taskOf(plan);
  if (task === null) throw new IngestError("ARRAY_PLAN", say("Values cannot be predicted from pictures or sequences yet. Predict classes, or read the input as a table."));
  const view = viewOf(find(plan.train.input), plan);
  const parts = [await readPart(find, plan, plan.train, view)];
  if (plan.validation) parts.push(await readPart(find, plan, plan.validation, view));
  const classes = plan.learns === "values" ? null : await classesOf(find, plan, parts);
  const chosen = chooseRows(parts, classes, plan);
  const folder = datasetFolder(datasetId);
  const scratch = parts.map((_, at) => files.path(`${folder}/rows-${at}.tmp`));
  await mkdir(dirname(scratch[0] as string), { recursive: true });

  const readers: RowReader[] = [];
  try {
    for (const [at, { input }] of parts.entries()) readers.push(await openRows(source.file, input, scratch[at] as string));
    const rows = (places: readonly Place[]) => readRows(places, parts, readers, view);
    const moments = view.isIndex ? [{ mean: 0, std: 1 }] : await momentsOf(rows(chosen.train), view);
    let sizeBytes = 0;
    const put = async (name: string, dtype: NpyDtype, shape: number[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
      const stored = await files.put(`${folder}/${name}.npy`, behind(npyHeaderOf(dtype, shape), content));
      sizeBytes += stored.sizeBytes;
      return { file: `${name}.npy`, dtype, shape: shape.slice(1), sha256: stored.sha256 };
    };
    const writePart = async (name: "train" | "validation") => {
      const places = chosen[name];
      const lengths = parts[0]?.lengths ? BigInt64Array.from(places, (place) => BigInt(lengthOf(place, parts))) : null;
      const target = targetOf(places, parts, classes);
      return {
        rows: places.length,
        input: await put(`${name}-input`, view.dtype, [places.length, ...view.shape], toBytes(rows(places), view, moments, plan.notFinite === "mean")),
        ...(lengths ? { lengths: await put(`${name}-lengths`, "int64", [places.length], [bytesOf(lengths)]) } : {}),
        target: await put(`${name}-target`, target.dtype, target.shape, [bytesOf(target.data)]),
        classCounts: classes ? countClasses(target.data, classes.names.length) : [],
      };
    };
    const splits = { train: await writePart("train"), validation: await writePart("validation") };
    const manifest = Manifest.parse({
      task,
      preprocess: { dtype: view.dtype, scale: view.scale, mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) },
      classes: classes?.names ?? [],
      columns: plan.layout === "table" ? await columnsOf(find, plan, view) : [],
      targetName: plan.train.target ?? "target",
      arrays: { plan, rowsLeftOut: chosen.leftOut },
      splits,
      source: source.name,
      licence: "Your own",
    });
    return { manifest, sizeBytes };
  } finally {
    for (const reader of readers) await reader.close();
    for (const file of scratch) await rm(file, { force: true });
  }
}

function lengthOf(place: Place, parts: readonly Part[]): number {
  const { part, row } = locate(place, parts);
  return part.lengths?.[row] ?? part.input.shape[1] ?? 0;
}

async function* behind(head: Uint8Array, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* content;
}

/** How a row of the file becomes a row of the data set. */
type View = {
  dtype: NpyDtype;
  /** Without the sample. */
  shape: number[];
  /** Where each number of a row comes from in the file's row; null: as it lies there. */
  order: Int32Array | null;
  /** Which mean and deviation belongs to a place of the row. */
  channelOf: (place: number) => number;
  channels: number;
  /** What raw numbers are multiplied by before the network sees them. */
  scale: number;
  /** The numbers are indices, such as tokens: nothing is scaled. */
  isIndex: boolean;
  /** The column of the file's row that is to be predicted. */
  targetColumn: number | null;
};

function viewOf({ name, shape: whole, type, descr }: StoredArray, { layout, targetColumn, train }: ArrayPlan): View {
  if (type.kind === "text" || type.kind === "bytes")
    throw new IngestError("NPY_DTYPE", say("The array {name} holds texts ('{descr}'); an input holds numbers.", { name: quote(name), descr }));
  const own = whole.slice(1);
  const width = own.reduce((product, size) => product * size, 1);
  const fits = {
    table: whole.length >= 2,
    grey: whole.length === 3,
    "channels-last": whole.length === 4,
    "channels-first": whole.length === 4,
    sequence: [2, 3].includes(whole.length),
  };
  if (!fits[layout]) throw new IngestError("ARRAY_PLAN", say("The array {name} [{whole}] cannot be read as {layout}.", { name: quote(name), whole: whole.join(", "), layout }));
  const plain = { order: null, channelOf: () => 0, channels: 1, scale: 1, isIndex: false, targetColumn: null };
  if (layout === "table") {
    if (width > ARRAY_LIMITS.columns)
      throw new IngestError(
        "ARRAY_COLUMNS",
        say("A row of {name} has {width} numbers; the limit of a table is {columns} columns.", {
          name: quote(name),
          width: printCount(width),
          columns: printCount(ARRAY_LIMITS.columns),
        }),
      );
    const column = train.target === null ? (targetColumn ?? width - 1) : null;
    if (column !== null && (column >= width || width < 2))
      throw new IngestError(
        "ARRAY_PLAN",
        width === 1
          ? say("The array {name} has one column: none is left to learn from. Save X and y together with numpy.savez.", { name: quote(name) })
          : say("The array {name} has {width} columns: none is left to learn from. Save X and y together with numpy.savez.", { name: quote(name), width }),
      );
    const order = Int32Array.from({ length: width }, (_, at) => at).filter((at) => at !== column);
    return { ...plain, dtype: "float32", shape: [order.length], order: column === null ? null : order, channelOf: (place) => place, channels: order.length, targetColumn: column };
  }
  if (train.target === null)
    throw new IngestError("ARRAY_PLAN", say("Nothing says what is true of the rows of {name}. Save X and y together with numpy.savez.", { name: quote(name) }));
  if (layout === "sequence")
    return whole.length === 2 && type.kind !== "float" ? { ...plain, dtype: "int64", shape: own, isIndex: true } : { ...plain, dtype: "float32", shape: own };
  const isBytes = type.kind === "uint" && type.itemBytes === 1;
  const image = { ...plain, dtype: isBytes || type.kind === "bool" ? ("uint8" as const) : ("float32" as const), scale: isBytes ? 1 / 255 : 1 };
  const [a = 1, b = 1, c = 1] = own;
  if (layout === "grey") return { ...image, shape: [1, a, b] };
  if (layout === "channels-first") return { ...image, shape: own, channelOf: (place) => Math.floor(place / (b * c)), channels: a };
  // [height, width, channels] → [channels, height, width]
  const order = c === 1 ? null : Int32Array.from({ length: width }, (_, place) => (place % (a * b)) * c + Math.floor(place / (a * b)));
  return { ...image, shape: [c, a, b], order, channelOf: (place) => Math.floor(place / (a * b)), channels: c };
}

/** What is known of the rows of one input array. */
type Part = {
  input: StoredArray;
  target: Target;
  lengths: ArrayLike<number> | null;
  /** Rows with a number that is NaN or infinite, in the input or in the target. */
  broken: { inInput: Set<number>; inTarget: Set<number> };
};
/** A number or text that names the class of each row, or `width` values a row. */
type Target = { keys: ArrayLike<number | string> } | { values: ArrayLike<number>; width: number };
/** A row, counted through the parts: an object for each of some million would be too much. */
type Place = number;

function locate(place: Place, [first, second]: readonly Part[]): { part: Part; at: number; row: number } {
  if (!first) throw new Error("There is a part to learn from.");
  return second && place >= first.input.rows ? { part: second, at: 1, row: place - first.input.rows } : { part: first, at: 0, row: place };
}

async function readPart(find: Find, plan: ArrayPlan, names: ArrayPlan["train"], view: View): Promise<Part> {
  const input = find(names.input);
  const { rows, name } = input;
  if (input.dataBytes === 0) throw new IngestError("DATASET_EMPTY", say("The array {name} [{shape}] holds nothing.", { name: quote(name), shape: input.shape.join(", ") }));
  if (rows > ARRAY_LIMITS.rows)
    throw new IngestError(
      "ARRAY_ROWS",
      say("The array {name} has {rows} rows; the limit is {rows2}.", { name: quote(name), rows: printCount(rows), rows2: printCount(ARRAY_LIMITS.rows) }),
    );
  const { shape } = viewOf(input, plan);
  if (shape.join() !== view.shape.join())
    throw new IngestError(
      "ARRAY_PLAN",
      say("Rows of {name} are [{shape}], those to learn from [{shape2}]. Both must be alike.", { name: quote(name), shape: shape.join(", "), shape2: view.shape.join(", ") }),
    );
  const sizeBytes = rows * shape.reduce((product, size) => product * size, itemSizeBytes[view.dtype]);
  if (sizeBytes > ARRAY_LIMITS.arrayBytes)
    throw new IngestError(
      "DATASET_TOO_LARGE",
      say("{rows} rows of [{value}] take {value2} MiB; the limit is {value3}. Save fewer rows, or smaller ones.", {
        rows: printCount(rows),
        value: shape.join(", "),
        value2: printCount(Math.ceil(sizeBytes / 2 ** 20)),
        value3: printCount(ARRAY_LIMITS.arrayBytes / 2 ** 20),
      }),
    );
  const beside = (other: string): StoredArray => {
    const array = find(other);
    if (array.rows !== rows)
      throw new IngestError(
        "ARRAY_ROWS",
        say("{name} has {rows} rows, {name2} {rows2}. Each sample needs one in both.", {
          name: quote(array.name),
          rows: printCount(array.rows),
          name2: quote(name),
          rows2: printCount(rows),
        }),
      );
    return array;
  };
  const scanned = await scanInput(input, view);
  const target: Target =
    names.target !== null ? await readTarget(beside(names.target), plan) : plan.learns === "values" ? { values: scanned.column, width: 1 } : { keys: scanned.column };
  if (names.target === null && plan.learns === "one-hot")
    throw new IngestError("ARRAY_PLAN", say("A column is one number a row, which is no one-hot target. Predict a class or a value."));
  return {
    input,
    target,
    lengths: names.lengths === null ? null : await readLengths(beside(names.lengths), input),
    broken: { inInput: scanned.broken, inTarget: brokenIn(target, rows) },
  };
}

function brokenIn(target: Target, rows: number): Set<number> {
  const broken = new Set<number>();
  const [items, width] = "keys" in target ? [target.keys, 1] : [target.values, target.width];
  for (let at = 0; at < rows * width; at++) {
    const item = items[at];
    if (typeof item === "number" && !Number.isFinite(Math.fround(item))) broken.add(Math.floor(at / width));
  }
  return broken;
}

async function readTarget(array: StoredArray, { learns }: ArrayPlan): Promise<Target> {
  const { type, rows, name, shape } = array;
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const bytes = await readWhole(array);
  const isText = type.kind === "text" || type.kind === "bytes";
  if (learns === "values" && isText) throw new IngestError("ARRAY_PLAN", say("The targets {name} are texts: they can only be classes.", { name: quote(name) }));
  if (learns === "values") return { values: readNumbers(type, bytes), width };
  if (learns === "classes") {
    if (width !== 1)
      throw new IngestError("ARRAY_PLAN", say("The targets {name} [{shape}] have {width} numbers a row: a class is one.", { name: quote(name), shape: shape.join(", "), width }));
    return { keys: isText ? readTexts(type, bytes) : readNumbers(type, bytes) };
  }
  const values = readNumbers(type, bytes);
  const keys = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let place = 0;
    while (place < width && values[row * width + place] !== 1) place++;
    if (place === width) throw new IngestError("ARRAY_PLAN", say("Row {row} of the targets {name} has no 1, so it is of no class.", { row, name: quote(name) }));
    keys[row] = place;
  }
  return { keys };
}

async function readLengths(lengths: StoredArray, input: StoredArray): Promise<ArrayLike<number>> {
  const most = input.shape[1] ?? 0;
  const values = readNumbers(lengths.type, await readWhole(lengths));
  for (let row = 0; row < values.length; row++) {
    const length = values[row] as number;
    if (!Number.isInteger(length) || length < 1 || length > most)
      throw new IngestError(
        "ARRAY_LENGTHS",
        say("Row {row} of {name} says {length}; a length is a whole number from 1 to {most}.", { row, name: quote(lengths.name), length, most }),
      );
  }
  return values;
}

/** Rows that hold NaN or infinity, and the column to predict, where the input holds it. */
async function scanInput(input: StoredArray, view: View): Promise<{ broken: Set<number>; column: Float64Array }> {
  const broken = new Set<number>();
  const column = new Float64Array(view.targetColumn === null ? 0 : input.rows);
  const { itemBytes, kind } = input.type;
  if (kind !== "float" && view.targetColumn === null && !view.isIndex) return { broken, column };
  const width = input.rowBytes / itemBytes;
  let item = 0;
  let rest = Buffer.alloc(0);
  for await (const part of input.isFortran ? [await readWhole(input)] : input.stream()) {
    const joined = rest.length > 0 ? Buffer.concat([rest, part]) : part;
    const whole = joined.length - (joined.length % itemBytes);
    const numbers = readNumbers(input.type, joined.subarray(0, whole));
    for (let at = 0; at < numbers.length; at++, item++) {
      const value = numbers[at] as number;
      if (item % width === view.targetColumn) column[Math.floor(item / width)] = value;
      else if (view.isIndex && value < 0)
        throw new IngestError(
          "ARRAY_TOKENS",
          say("Row {value} of {name} holds {value2}; tokens are numbered from 0.", { value: Math.floor(item / width), name: quote(input.name), value2: value }),
        );
      // What float32 cannot hold is no number after all.
      else if (!Number.isFinite(Math.fround(value))) broken.add(Math.floor(item / width));
    }
    rest = Buffer.from(joined.subarray(whole));
  }
  return { broken, column };
}

type Classes = { names: string[]; numbers: Map<number | string, number> };

/** Class numbers need not be without gaps: those that occur are counted on from 0, in order. With names for them, all that have a name count. */
async function classesOf(find: Find, plan: ArrayPlan, parts: readonly Part[]): Promise<Classes> {
  const seen = new Set<number | string>();
  for (const { target, broken, input } of parts) {
    if (!("keys" in target)) continue;
    for (let row = 0; row < input.rows; row++) {
      if (broken.inTarget.has(row)) continue;
      seen.add(target.keys[row] as number | string);
      if (seen.size > ARRAY_LIMITS.classes)
        throw new IngestError(
          "DATASET_TOO_MANY_CLASSES",
          say("The targets have more than {classes} classes, the limit, by row {row}. Predict a value instead.", { classes: printCount(ARRAY_LIMITS.classes), row }),
        );
    }
  }
  const keys = [...seen].sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : 1));
  if (keys.length === 1)
    throw new IngestError("DATASET_ONE_CLASS", say("Every row has the same target, {keys}. There is nothing to tell apart.", { keys: quote(String(keys[0])) }));
  if (plan.classNames === null) return { names: keys.map(String), numbers: new Map(keys.map((key, number) => [key, number])) };
  const names = await readNames(find(plan.classNames));
  const nameless = keys.find((key) => typeof key !== "number" || names[key] === undefined);
  if (nameless !== undefined)
    throw new IngestError(
      "ARRAY_PLAN",
      say("{classNames} names {count} classes, but there is a class {nameless}, counted from 0.", {
        classNames: quote(plan.classNames),
        count: names.length,
        nameless: String(nameless),
      }),
    );
  return { names, numbers: new Map(names.map((_, number) => [number, number])) };
}

async function columnsOf(find: Find, plan: ArrayPlan, { order, shape: [width = 0] }: View): Promise<string[]> {
  const places = order ? [...order] : Array.from({ length: width }, (_, at) => at);
  const names = plan.columnNames === null ? null : await readNames(find(plan.columnNames));
  return places.map((place) => names?.[place] || `x${place}`);
}

async function readNames(array: StoredArray): Promise<string[]> {
  if (array.type.kind !== "text" && array.type.kind !== "bytes")
    throw new IngestError("ARRAY_PLAN", say("The array {name} holds numbers; names are texts.", { name: quote(array.name) }));
  if (array.rows > ARRAY_LIMITS.columns)
    throw new IngestError(
      "ARRAY_PLAN",
      say("The array {name} has {rows} names; the limit is {columns}.", { name: quote(array.name), rows: printCount(array.rows), columns: printCount(ARRAY_LIMITS.columns) }),
    );
  const taken = new Set<string>();
  return readTexts(array.type, await readWhole(array)).map((text, at) => {
    const own = text.trim().slice(0, 120) || String(at);
    let name = own;
    for (let copy = 2; taken.has(name); copy++) name = `${own} (${copy})`;
    taken.add(name);
    return name;
  });
}

/** Which rows make which part. */
function chooseRows(parts: readonly Part[], classes: Classes | null, plan: ArrayPlan): { train: Place[]; validation: Place[]; leftOut: number } {
  const total = parts.reduce((sum, { input }) => sum + input.rows, 0);
  const brokenRows = parts.reduce((sum, { broken }) => sum + broken.inInput.size, 0);
  if (brokenRows > 0 && plan.notFinite === null) {
    const [{ input, broken }] = parts.filter((one) => one.broken.inInput.size > 0) as [Part];
    throw new IngestError(
      "MISSING_RULE",
      say("{brokenRows} {n, plural, one {row holds} other {rows hold}} NaN or infinity, the first is row {value} of {name}. Choose what is done with them.", {
        brokenRows: printCount(brokenRows),
        n: brokenRows,
        value: Math.min(...[...broken.inInput].slice(0, 10_000)),
        name: quote(input.name),
      }),
    );
  }
  if (plan.notFinite === "mean" && brokenRows > 0 && parts[0]?.input.type.kind !== "float")
    throw new IngestError("ARRAY_PLAN", say("Only measured numbers have a mean that can stand for a missing one."));
  let before = 0;
  const usable = parts.map(({ input, broken }) => {
    const places: Place[] = [];
    for (let row = 0; row < input.rows; row++) if (!broken.inTarget.has(row) && !(plan.notFinite === "leave-out" && broken.inInput.has(row))) places.push(before + row);
    before += input.rows;
    return places;
  });
  const split = divide(usable, parts, classes, plan);
  if (split.train.length === 0 || split.validation.length === 0)
    throw new IngestError("DATASET_EMPTY", say("Of {total} rows, {count} can be used: too few for both a training and a validation part.", { total, count: usable.flat().length }));
  return { ...split, leftOut: total - split.train.length - split.validation.length };
}

function divide([first = [], second = []]: readonly Place[][], parts: readonly Part[], classes: Classes | null, { split }: ArrayPlan): { train: Place[]; validation: Place[] } {
  if (split.how === "given") {
    if (parts.length < 2) throw new IngestError("ARRAY_PLAN", say("The file has no arrays for validation: split the rows by chance."));
    return { train: first, validation: second };
  }
  if (split.how === "stratified" && classes === null) throw new IngestError("ARRAY_PLAN", say("Only classes can be kept in proportion: split measured values at random."));
  const all = [...first, ...second];
  if (split.how === "random" || classes === null) return splitRows([all], split.seed, split.validationShare);
  const groups = classes.names.map((): Place[] => []);
  for (const place of all) groups[classNumber(place, parts, classes)]?.push(place);
  return splitRows(groups, split.seed, split.validationShare);
}

function classNumber(place: Place, parts: readonly Part[], { numbers }: Classes): number {
  const { part, row } = locate(place, parts);
  return "keys" in part.target ? (numbers.get(part.target.keys[row] as number | string) ?? 0) : 0;
}

function targetOf(places: readonly Place[], parts: readonly Part[], classes: Classes | null): { dtype: "int64" | "float32"; shape: number[]; data: BigInt64Array | Float32Array } {
  if (classes) return { dtype: "int64", shape: [places.length], data: BigInt64Array.from(places, (place) => BigInt(classNumber(place, parts, classes))) };
  const [first] = parts;
  const width = first && "values" in first.target ? first.target.width : 1;
  const data = new Float32Array(places.length * width);
  for (const [at, place] of places.entries()) {
    const { part, row } = locate(place, parts);
    const { target } = part;
    if (!("values" in target) || target.width !== width) throw new IngestError("ARRAY_PLAN", say("Targets of training and validation have different numbers of values a row."));
    for (let i = 0; i < width; i++) data[at * width + i] = target.values[row * width + i] as number;
  }
  return { dtype: "float32", shape: [places.length, width], data };
}

function countClasses(target: BigInt64Array | Float32Array, count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const value of target) counts[Number(value)] = (counts[Number(value)] ?? 0) + 1;
  return counts;
}

/** Rows in this order, many at once, as the numbers of the file in the order of the data set. */
async function* readRows(places: readonly Place[], parts: readonly Part[], readers: readonly RowReader[], { order }: View): AsyncGenerator<ArrayLike<number>> {
  for (let from = 0; from < places.length; ) {
    const { part, at } = locate(places[from] as Place, parts);
    const { rowBytes, type, shape } = part.input;
    const most = from + Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    // The file's numbers may be wider in one part than in the other: each chunk holds rows of one.
    const bytes: Buffer[] = [];
    for (; from < Math.min(most, places.length); from++) {
      const place = locate(places[from] as Place, parts);
      if (place.at !== at) break;
      const row = Buffer.allocUnsafe(rowBytes);
      await readers[at]?.read(place.row, row, 0);
      bytes.push(row);
    }
    const numbers = readNumbers(type, Buffer.concat(bytes));
    yield order === null
      ? numbers
      : reorder(
          numbers,
          shape.slice(1).reduce((product, size) => product * size, 1),
          order,
        );
  }
}

function reorder(numbers: ArrayLike<number>, width: number, order: Int32Array): Float64Array {
  const rows = numbers.length / width;
  const out = new Float64Array(rows * order.length);
  for (let row = 0, to = 0; row < rows; row++) for (let at = 0; at < order.length; at++) out[to++] = numbers[row * width + (order[at] as number)] as number;
  return out;
}

type Moment = { mean: number; std: number };

/** Mean and population standard deviation of each channel or column, after scaling, of what is finite. One that never changes is left as wide as it is. */
async function momentsOf(rows: AsyncIterable<ArrayLike<number>>, { channelOf, channels, scale, shape }: View): Promise<Moment[]> {
  const width = shape.reduce((product, size) => product * size, 1);
  const of = Int32Array.from({ length: width }, (_, place) => channelOf(place));
  const [counts, means, squares] = [new Float64Array(channels), new Float64Array(channels), new Float64Array(channels)];
  for await (const numbers of rows)
    for (let at = 0, place = 0; at < numbers.length; at++) {
      const value = numbers[at] as number;
      const channel = of[place] as number;
      if (++place === width) place = 0;
      if (!Number.isFinite(Math.fround(value))) continue;
      // Welford's running mean: sums of squares of large numbers would lose what is small.
      const count = (counts[channel] as number) + 1;
      counts[channel] = count;
      const before = value - (means[channel] as number);
      means[channel] = (means[channel] as number) + before / count;
      squares[channel] = (squares[channel] as number) + before * (value - (means[channel] as number));
    }
  return Array.from({ length: channels }, (_, channel) => {
    const std = Math.sqrt((squares[channel] as number) / Math.max(1, counts[channel] as number)) * scale;
    return { mean: Math.fround((means[channel] as number) * scale), std: std > 0 && Number.isFinite(std) ? Math.fround(std) : 1 };
  });
}

/** Numbers as the data set stores them; where that is asked for, the channel's mean in place of NaN and infinity. */
async function* toBytes(rows: AsyncIterable<ArrayLike<number>>, { dtype, channelOf, shape }: View, moments: readonly Moment[], fill: boolean): AsyncGenerator<Uint8Array> {
  const width = shape.reduce((product, size) => product * size, 1);
  for await (const numbers of rows) {
    if (dtype === "uint8") yield Uint8Array.from(numbers);
    else if (dtype === "int64") yield bytesOf(BigInt64Array.from(numbers as ArrayLike<number> & Iterable<number>, (value) => BigInt(value)));
    else {
      const data = Float32Array.from(numbers);
      if (fill) for (let at = 0; at < data.length; at++) if (!Number.isFinite(data[at])) data[at] = moments[channelOf(at % width)]?.mean ?? 0;
      yield bytesOf(data);
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: BigInt64Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function quote(name: string): string {
  return `"${name.slice(0, 80)}"`;
}

/**
 * A feature as people know it. Categories are stored as one column a value (`island=Dream`, `island=Biscoe`); here they are one
 * feature again. `index` is the column in the row that the network gets.
 */
export type Feature = { kind: "number"; name: string; index: number } | { kind: "choice"; name: string; options: { label: string; index: number }[] };

/** The features behind the columns of a tabular data set, in order of their first column. */
export function featuresOf(columns: readonly string[]): Feature[] {
  const features: Feature[] = [];
  for (const [index, column] of columns.entries()) {
    const [name = column, ...rest] = column.split("=");
    if (rest.length === 0) {
      features.push({ kind: "number", name, index });
      continue;
    }
    const option = { label: rest.join("="), index };
    const known = features.find((feature) => feature.kind === "choice" && feature.name === name);
    if (known?.kind === "choice") known.options.push(option);
    else features.push({ kind: "choice", name, options: [option] });
  }
  return features;
}

/** The label of the option that a row has chosen; null where none of them stands out. */
export function chosenOption(feature: Extract<Feature, { kind: "choice" }>, row: ArrayLike<number>): string | null {
  return feature.options.find(({ index }) => (row[index] ?? 0) > 0.5)?.label ?? null;
}

/** Column names as words: `bill_length_mm` reads "bill length mm". */
export function featureTitle(name: string): string {
  return name.replaceAll("_", " ").trim();
}

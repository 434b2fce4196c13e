import { say } from "../../../core/language/say.ts";
import { type Column, type OwnColumn, readColumn, type Stat } from "../../../core/runs/view.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { formatClock, formatFigure } from "../figures.ts";
import { mainMetric, metricTitle, type RunSummary, unitOf } from "../run.ts";

const OWN: { [name in OwnColumn]: string } = {
  created: say("Started"),
  number: say("Run"),
  state: say("State"),
  model: say("Model"),
  data: say("Data set"),
  creator: say("By"),
  took: say("Took"),
  epochs: say("Epochs"),
  steps: say("Steps"),
  tags: say("Tags"),
  notes: say("Notes"),
  locked: say("Locked"),
};

const STAT_WORDS: { [stat in Stat]: string } = { last: say("Last"), best: say("Best"), min: say("Lowest"), max: say("Highest") };

/** What heads a column. */
export function columnTitle(id: string): string {
  const column = readColumn(id);
  if (!column) return id;
  if (column.kind === "own") return OWN[column.name];
  if (column.kind === "setting") return settingTitle(column.key);
  const title = metricTitle(column.key);
  return `${STAT_WORDS[column.stat]} ${/^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title}`;
}

const SETTING_WORDS: { [key: string]: string } = {
  lr: say("Learning rate"),
  gradClipNorm: say("Gradient clipping by norm"),
  gradClipValue: say("Gradient clipping by value"),
  emaDecay: say("EMA decay"),
  mixup: say("Mixup"),
};

/** `settings.batchSize` as “Batch size”, `settings.optimizerParams.momentum` as “momentum”. */
export function settingTitle(key: string): string {
  const [, name = "", inner] = key.split(".");
  if (inner) return name === "earlyStopping" ? say("Early stopping: {inner}", { inner }) : inner;
  return SETTING_WORDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export const isNumeric = (column: Column): boolean => column.kind === "metric" || (column.kind === "own" && ["took", "epochs", "steps", "created"].includes(column.name));

/** What stands in a cell; null: nothing. State and tags are drawn, not written. */
export function cellText(run: RunSummary, column: Column): string | null {
  if (column.kind === "setting") {
    const value = run.settings[column.key];
    return value === undefined ? null : typeof value === "number" ? printNumber(value) : value === "true" ? say("on") : value === "false" ? say("off") : value;
  }
  if (column.kind === "metric") {
    const figure = run.summary[column.key];
    return figure ? formatFigure(figure[column.stat], unitOf(column.key)) : null;
  }
  switch (column.name) {
    case "created":
      return formatClock(run.startedAt ?? run.createdAt);
    case "number":
      return String(run.number);
    case "state":
      return run.status;
    case "model":
      return run.modelName;
    case "data":
      return run.datasetName;
    case "creator":
      return run.createdByName;
    case "took":
      return run.startedAt ? formatDuration(run.elapsedMs) : null;
    case "epochs":
      return run.epochs > 0 ? say("{epoch} of {epochs}", { epoch: formatCount(run.epoch), epochs: formatCount(run.epochs) }) : formatCount(run.epoch);
    case "steps":
      return formatCount(run.step);
    case "tags":
      return run.tags.join(", ") || null;
    case "notes":
      return run.notes || null;
    case "locked":
      return run.locked ? say("locked") : null;
  }
}

function printNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001
    ? Number(value.toPrecision(4))
        .toExponential()
        .replace(/e([+-])0*/, "e$1")
    : String(Number(value.toPrecision(5)));
}

/** The columns that a table has where nobody chose any: what most of these runs are known by, and how far they are. */
export function usualColumns(runs: readonly RunSummary[], inModel: boolean): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) {
    const main = mainMetric(run);
    if (main !== null) counts.set(main, (counts.get(main) ?? 0) + 1);
  }
  const metrics = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([key]) => `${key}:best`);
  return [...(inModel ? [] : ["model"]), "state", ...metrics, "validation/loss:best", "settings.lr", "epochs", "took", "tags", "created"];
}

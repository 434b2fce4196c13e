"use client";

import { useState } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { timeOf } from "../../core/data/series.ts";
import { PADDING, tokenText, UNKNOWN } from "../../core/data/text.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { Badge } from "../ui/Badge.tsx";
import { classColourText } from "../ui/classColours.ts";
import { cx } from "../ui/cx.ts";
import { TextInput } from "../ui/Field.tsx";
import { formatBytes, formatCount, formatMetric } from "../ui/format.ts";
import { Line, Panel } from "../ui/Panel.tsx";
import { Progress } from "../ui/Progress.tsx";
import { Empty, Loading } from "../ui/States.tsx";
import type { Answers } from "../ui/trpc.ts";
import { HealthPanel } from "./HealthPanel.tsx";
import { ruleTitles } from "./missingRules.ts";
import { fitTitles } from "./pictureWords.ts";
import { Samples } from "./Samples.tsx";
import { TakeAlong } from "./TakeAlong.tsx";

export type Dataset = Answers["datasets"]["get"];

/** What is in a data set: figures, samples, how the classes are spread, where it comes from and what one may do with it. */
export function DatasetView({ dataset }: { dataset: Dataset }) {
  // The class whose samples are shown; null for all.
  const [classIndex, setClassIndex] = useState<number | null>(null);
  const { manifest } = dataset;
  if (dataset.status === "failed") return <Empty title={say("{name} could not be read", { name: dataset.name })}>{dataset.failure?.message ?? say("Add it again.")}</Empty>;
  if (!manifest) {
    const { progress } = dataset;
    return (
      <div className="space-y-3">
        <Empty title={say("{name} is being prepared", { name: dataset.name })}>
          {say("Its files are read once into arrays that training can map into memory. Deleting it stops that.")}
        </Empty>
        {progress && progress.of > 0 ? (
          <Progress text={say("{done} of {of} pictures", { done: formatCount(progress.done), of: formatCount(progress.of) })} share={progress.done / progress.of} />
        ) : (
          <Loading label={say("Preparing")} className="h-64" />
        )}
      </div>
    );
  }
  const { train, validation } = manifest.splits;
  const figures = [
    [say("Training samples"), formatCount(train.rows)],
    [say("Validation samples"), formatCount(validation.rows)],
    manifest.classes.length > 0 ? [say("Classes"), formatCount(manifest.classes.length)] : [say("Target"), manifest.targetName],
    [say("One sample"), train.lengths ? say("up to {shape}", { shape: train.input.shape.join("×") }) : train.input.shape.join("×")],
    [say("Size"), formatBytes(dataset.sizeBytes)],
  ] as const;
  return (
    <div className="space-y-4">
      <header className="space-y-1">
        <div className="flex flex-wrap items-center gap-3">
          <h1 className="text-title font-semibold">{dataset.name}</h1>
          <Badge>{taskNamed(manifest.task).title}</Badge>
        </div>
        <p className="max-w-prose text-ink2">{dataset.description}</p>
      </header>

      <dl className="grid grid-cols-2 overflow-hidden rounded-xl border border-line bg-raise sm:grid-cols-5">
        {figures.map(([name, value], index) => (
          <div
            key={name}
            className={cx(
              "min-w-0 border-line px-3.5 py-2.5 max-sm:last:col-span-2 sm:border-l sm:first:border-l-0",
              index > 1 && "max-sm:border-t",
              index % 2 === 1 && "max-sm:border-l",
            )}
          >
            <dt className="text-sm text-ink2">{name}</dt>
            <dd className="truncate text-figure font-semibold tabular-nums" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>

      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_308px]">
        <Samples dataset={dataset} manifest={manifest} classIndex={classIndex} onClass={setClassIndex} />
        <div className="space-y-4">
          {manifest.classes.length > 0 && (
            <Panel
              title={say("Classes")}
              end={<span className="text-sm">{train.target.shape.length > 1 ? say("pixels in training, validation") : say("training, validation")}</span>}
            >
              <ClassCounts
                classes={manifest.classes}
                train={train.classCounts}
                validation={validation.classCounts}
                isPixels={train.target.shape.length > 1}
                chosen={classIndex}
                onChoose={setClassIndex}
              />
            </Panel>
          )}
          <HealthPanel datasetId={dataset.id} manifest={manifest} />
          <TakeAlong datasetId={dataset.id} manifest={manifest} />
          <Panel title={say("About")}>
            <dl className="px-3.5 pb-3">
              <Line name={say("Stored as")}>
                {train.input.dtype} [{train.input.shape.join(", ")}]
              </Line>
              {manifest.series && <SeriesFacts series={manifest.series} context={train.input.shape[0] ?? 1} horizon={train.target.shape[0] ?? 1} />}
              {manifest.table && <Preparation table={manifest.table} />}
              {manifest.pictures && <PictureForm pictures={manifest.pictures} classes={manifest.classes} />}
              {manifest.arrays && <ArrayReading arrays={manifest.arrays} />}
              {manifest.text ? <Vocabulary text={manifest.text} /> : <Scaling preprocess={manifest.preprocess} />}
            </dl>
            <div className="space-y-1.5 border-t border-line px-3.5 py-2.5 text-sm break-words text-ink2">
              <p>
                <span className="text-ink">{say("From")}</span> <SourceText text={manifest.source} />
              </p>
              <p>
                <span className="text-ink">{say("Licence")}</span> <SourceText text={manifest.licence} />
              </p>
            </div>
          </Panel>
        </div>
      </div>
    </div>
  );
}

/** How a person's own table was split, and what stands where it had gaps. */
function Preparation({ table: { split, missing } }: { table: NonNullable<Manifest["table"]> }) {
  return (
    <>
      <Line name={say("Split")} plain>
        {split.how === "column"
          ? say("as a column says")
          : split.how === "time"
            ? say("by time, {validationShare}% kept back", { validationShare: Number((split.validationShare * 100).toFixed(2)) })
            : say("{how}, {validationShare}% kept back, seed {seed}", {
                how: say(split.how),
                validationShare: Number((split.validationShare * 100).toFixed(2)),
                seed: split.seed,
              })}
      </Line>
      {missing.map(({ column, cells, rule }) => (
        <Line key={column} name={column} plain>
          {say("{cells} without a value: {rule}", { cells: formatCount(cells), rule: ruleTitles[rule].toLowerCase() })}
        </Line>
      ))}
    </>
  );
}

/** How a series was cut into windows. */
function SeriesFacts({ series, context, horizon }: { series: NonNullable<Manifest["series"]>; context: number; horizon: number }) {
  const [from, to] = [timeOf(series, 0), timeOf(series, series.length - 1)];
  return (
    <>
      {from !== null && (
        <Line name={say("From, to")}>
          {from}, {to}
        </Line>
      )}
      <Line name={say("Looks back, forecasts")}>
        {formatCount(context)}, {formatCount(horizon)}
      </Line>
      <Line name={say("Season")}>{formatCount(series.season)}</Line>
      <Line name={say("Held back")} plain>
        {say("the last {held} of {count} values", { held: formatCount(series.held), count: formatCount(series.length) })}
      </Line>
      {series.filled > 0 && (
        <Line name={say("Without a value")} plain>
          {say("{filled}, drawn between their neighbours", { filled: formatCount(series.filled) })}
        </Line>
      )}
      <Line name={say("MAE of the last season")}>{formatMetric(series.naive.mae)}</Line>
    </>
  );
}

/** How NumPy arrays were read and split. */
function ArrayReading({ arrays: { plan, rowsLeftOut } }: { arrays: NonNullable<Manifest["arrays"]> }) {
  const { how, validationShare, seed } = plan.split;
  return (
    <>
      <Line name={say("Arrays")} plain>
        {plan.train.input}
        {plan.train.target !== null && `, ${plan.train.target}`}
      </Line>
      <Line name={say("Split")} plain>
        {how === "given"
          ? say("as in the file")
          : say("{how}, {validationShare}% kept back, seed {seed}", { how, validationShare: Number((validationShare * 100).toFixed(2)), seed })}
      </Line>
      {rowsLeftOut > 0 && <Line name={say("Rows left out")}>{formatCount(rowsLeftOut)}</Line>}
    </>
  );
}

/** How a person's own pictures were read. */
function PictureForm({ pictures: { fit, split, labels }, classes }: { pictures: NonNullable<Manifest["pictures"]>; classes: readonly string[] }) {
  return (
    <>
      <Line name={say("Other shapes")} plain>
        {fitTitles[fit]}
      </Line>
      <Line name={say("Split")} plain>
        {split.how === "given"
          ? say("as the folders said, seed {seed}", { seed: split.seed })
          : say("{how}, {validationShare}% kept back, seed {seed}", {
              how: say(split.how),
              validationShare: Number((split.validationShare * 100).toFixed(2)),
              seed: split.seed,
            })}
      </Line>
      {labels.map((from, index) =>
        from.length === 1 && from[0] === classes[index] ? null : (
          <Line key={classes[index]} name={classes[index] ?? ""} plain>
            {from.join(", ") || say("(no folder)")}
          </Line>
        ),
      )}
    </>
  );
}

/** How raw numbers reach the network. */
function Scaling({ preprocess: { scale, mean, std } }: { preprocess: Manifest["preprocess"] }) {
  const list = (values: number[]) => values.map((value) => printFixed(value, 4)).join(", ");
  return (
    <>
      <Line name={say("Scaled by")}>{scale === 1 ? "1" : `1/${Number((1 / scale).toPrecision(6))}`}</Line>
      {mean.length <= 3 && (
        <>
          <Line name={say("Mean")}>{list(mean)}</Line>
          <Line name={say("Standard deviation")}>{list(std)}</Line>
        </>
      )}
      {mean.length > 3 && <Line name={say("Columns")}>{say("standardized")}</Line>}
    </>
  );
}

const unitWords: { [unit in NonNullable<Manifest["text"]>["unit"]]: string } = {
  characters: "letters",
  words: say("words"),
  bpe: say("parts of words"),
  pieces: say("the likeliest pieces"),
};

/** More tokens are found by searching. */
const TOKENS_SHOWN = 200;

/** How text became token numbers. */
function Vocabulary({ text }: { text: NonNullable<Manifest["text"]> }) {
  const [wanted, setWanted] = useState("");
  const own = text.tokens.map((token, number) => ({ token, count: text.counts?.[number] })).slice(UNKNOWN + 1);
  const found = own.filter(({ token }) => token.includes(wanted));
  return (
    <>
      <Line name={say("Read by")} plain>
        {unitWords[text.unit]}
        {text.lowercase && say(", in lower case")}
      </Line>
      <Line name={say("Vocabulary")}>{formatCount(text.tokens.length)}</Line>
      {text.charactersPerToken !== undefined && text.unit !== "characters" && <Line name={say("Characters a token")}>{printFixed(text.charactersPerToken, 2)}</Line>}
      {text.cut && (
        <Line name={say("Cut at")} plain>
          {say("{count} tokens, {rows} rows", { count: formatCount(text.cut.length), rows: formatCount(text.cut.rows) })}
        </Line>
      )}
      <TextInput
        aria-label={say("Search the vocabulary")}
        placeholder={say("Search the vocabulary")}
        maxLength={80}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      <ul aria-label={say("Vocabulary")} className="max-h-56 overflow-y-auto py-1 text-sm">
        {found.slice(0, TOKENS_SHOWN).map(({ token, count }) => (
          <li key={token} className="flex justify-between gap-3">
            <span className="truncate font-mono">{tokenText(token)}</span>
            {count !== undefined && <span className="figures text-ink2">{formatCount(count)}</span>}
          </li>
        ))}
      </ul>
      {found.length > TOKENS_SHOWN && <p className="text-sm text-ink2">{say("and {count} more", { count: formatCount(found.length - TOKENS_SHOWN) })}</p>}
      {found.length === 0 && <p className="text-sm text-ink2">{say("Not in the vocabulary.")}</p>}
      <p className="text-sm text-ink2">{say("Number {PADDING} is padding, {UNKNOWN} is what is not in the vocabulary.", { PADDING, UNKNOWN })}</p>
    </>
  );
}

/** A text in which addresses are links. */
function SourceText({ text }: { text: string }) {
  return text.split(/(https?:\/\/[^\s,;)]+)/).map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noreferrer" className="text-accent hover:underline">
        {part.replace(/^https?:\/\//, "")}
      </a>
    ) : (
      part
    ),
  );
}

/** One bar a class; a click shows only its samples. Bars start at zero and share one scale. */
function ClassCounts({
  classes,
  train,
  validation,
  isPixels,
  chosen,
  onChoose,
}: {
  classes: readonly string[];
  train: readonly number[];
  validation: readonly number[];
  /** Whether pixels are counted, each of which has a class; then classes have the colours of the masks. */
  isPixels: boolean;
  chosen: number | null;
  onChoose: (index: number | null) => void;
}) {
  // Every row has the same columns, so that the bars share one scale.
  const columns = `${Math.min(14, Math.max(2, ...classes.map((name) => name.length + (isPixels ? 3 : 0))))}ch 1fr ${Math.max(...classes.map((_, i) => formatCount(train[i] ?? 0).length + formatCount(validation[i] ?? 0).length))}ch`;
  const most = Math.max(1, ...classes.map((_, i) => Math.max(train[i] ?? 0, validation[i] ?? 0)));
  return (
    <ul className="px-1.5 pb-2">
      {classes.map((name, index) => (
        <li key={name}>
          <button
            type="button"
            aria-pressed={chosen === index}
            onClick={() => onChoose(chosen === index ? null : index)}
            style={{ gridTemplateColumns: columns }}
            className={cx("grid w-full items-center gap-2 rounded-md px-2 py-1 text-left", chosen === index ? "bg-accent-soft" : "hover:bg-hover")}
          >
            <span className="truncate" title={name}>
              {isPixels && (
                <span
                  aria-hidden
                  className="mr-1.5 inline-block size-2.5 rounded-sm border border-line2 align-[-1px]"
                  style={index === 0 ? undefined : { background: classColourText(index) }}
                />
              )}
              <span className="sr-only">{say("Show only")} </span>
              {name}
            </span>
            <span aria-hidden className="space-y-px">
              <span className="block h-[5px] rounded-r-sm bg-series-1" style={{ width: `${((train[index] ?? 0) / most) * 100}%` }} />
              <span className="block h-[5px] rounded-r-sm bg-series-2" style={{ width: `${((validation[index] ?? 0) / most) * 100}%` }} />
            </span>
            <span className="figures text-right text-ink2">
              {formatCount(train[index] ?? 0)}
              <span className="sr-only"> {say("training,")}</span> <span className="text-ink3">{formatCount(validation[index] ?? 0)}</span>
              <span className="sr-only"> {say("validation {pixels}", { pixels: isPixels ? say("pixels") : say("samples") })}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

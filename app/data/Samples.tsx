"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, X } from "lucide-react";
import { useState } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { timeOf } from "../../core/data/series.ts";
import { decodeText } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { IconButton } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { formatCount } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Segments } from "../ui/Segments.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { SeriesChart, SeriesLegend } from "./SeriesChart.tsx";
import { targetText } from "./targetText.ts";

type Split = "train" | "validation";
type Page = Answers["datasets"]["samples"];

const SPLITS = [
  { id: "train", title: say("Training") },
  { id: "validation", title: say("Validation") },
] as const;

/** Larger pictures come smaller than they are learned from: a page shows many. */
const SIDE = 96;

/** Pages through the samples of one split, of all classes or of one. */
export function Samples({
  dataset,
  manifest,
  classIndex,
  onClass,
}: {
  dataset: { id: string };
  manifest: Manifest;
  classIndex: number | null;
  onClass: (index: number | null) => void;
}) {
  const isImage = taskNamed(manifest.task).input === "image";
  const isLarge = isImage && Math.max(...manifest.splits.train.input.shape.slice(1)) > 32;
  // What the server sends at once: of large colour pictures, no more than fit.
  const limit = manifest.series ? 12 : isLarge ? 24 : isImage ? 96 : 50;
  const [split, setSplit] = useState<Split>("train");
  const [place, setPlace] = useState({ of: "", offset: 0 });
  // Another split or class starts from its first page.
  const of = `${split}/${classIndex}`;
  const offset = place.of === of ? place.offset : 0;
  const trpc = useTRPC();
  const page = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split, offset, limit, ...(isImage ? { side: SIDE } : {}), ...(classIndex === null ? {} : { classIndex }) },
      { placeholderData: keepPreviousData, staleTime: Infinity },
    ),
  );
  const total = page.data?.total ?? 0;
  return (
    <Panel>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-3.5 py-2.5">
        <Segments label={say("Split")} options={SPLITS} value={split} onValue={setSplit} />
        {classIndex !== null && (
          <button
            type="button"
            onClick={() => onClass(null)}
            className="inline-flex h-6 items-center gap-1 rounded-md bg-accent-soft px-2 text-accent"
            aria-label={say("Show all classes, not only {classIndex}", { classIndex: String(manifest.classes[classIndex]) })}
          >
            {manifest.classes[classIndex]} <X size={12} />
          </button>
        )}
        <div className="ml-auto flex items-center gap-1">
          <span className="figures mr-1 text-ink2">
            {total === 0
              ? say("none")
              : say("{offset}–{offset2} of {total}", { offset: formatCount(offset + 1), offset2: formatCount(Math.min(offset + limit, total)), total: formatCount(total) })}
          </span>
          <IconButton label={say("Previous samples")} disabled={offset === 0} onClick={() => setPlace({ of, offset: Math.max(0, offset - limit) })}>
            <ChevronLeft size={16} />
          </IconButton>
          <IconButton label={say("Next samples")} disabled={offset + limit >= total} onClick={() => setPlace({ of, offset: offset + limit })}>
            <ChevronRight size={16} />
          </IconButton>
        </div>
      </header>
      <div className={cx("overflow-y-auto transition-opacity duration-100 max-sm:max-h-[60dvh]", page.isPlaceholderData && "opacity-50")}>
        {page.isPending && <Loading label={say("Loading samples")} className="m-3.5 h-96" />}
        {page.isError && (
          <div className="p-3.5">
            <Failing what={say("These samples")} error={page.error} onRetry={() => void page.refetch()} />
          </div>
        )}
        {page.data &&
          (isImage ? (
            <ImageGrid page={page.data} classes={manifest.classes} isLarge={isLarge} />
          ) : manifest.series ? (
            <Windows page={page.data} split={split} manifest={manifest} series={manifest.series} />
          ) : (
            <Table page={page.data} manifest={manifest} />
          ))}
      </div>
    </Panel>
  );
}

function ImageGrid({ page, classes, isLarge }: { page: Page; classes: readonly string[]; isLarge: boolean }) {
  return (
    <ul className={cx("grid gap-x-2 gap-y-2.5 p-3.5", isLarge ? "grid-cols-[repeat(auto-fill,minmax(88px,1fr))]" : "grid-cols-[repeat(auto-fill,minmax(52px,1fr))]")}>
      {page.samples.map((sample) => {
        const name = sample.target.length > 0 ? targetText(sample.target, classes) : (sample.name?.split("/").at(-1) ?? "");
        return (
          <li key={sample.row} title={sample.name === null ? say("Row {row}", { row: sample.row }) : say("Row {row}: {name}", { row: sample.row, name: sample.name })}>
            <SampleImage
              bytes={sample.input}
              dtype={page.dtype}
              shape={page.shape}
              mask={sample.mask}
              label={say("{name}, row {row}", { name, row: sample.row })}
              className={cx("rounded-sm", isLarge && "[image-rendering:auto]!")}
            />
            {name !== "" && (
              <span aria-hidden className="mt-1 block truncate text-center text-sm text-ink2">
                {name}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** What was known, and what was to be forecast from it. */
function Windows({ page, split, manifest, series }: { page: Page; split: Split; manifest: Manifest; series: NonNullable<Manifest["series"]> }) {
  const begin = manifest.splits[split].input.window?.first ?? 0;
  return (
    <div className="p-3.5">
      <SeriesLegend curves={["truth"]} />
      <ul className="grid gap-3 pt-2 sm:grid-cols-2">
        {page.samples.map(({ row, input, target }) => (
          <li key={row} className="rounded-md border border-line">
            <SeriesChart
              past={decodeTensor(input, page.dtype)}
              ahead={{ truth: target }}
              label={say("Window {row} of {name}", { row, name: series.name })}
              timeAt={(index) => timeOf(series, begin + row + index)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Table({ page, manifest }: { page: Page; manifest: Manifest }) {
  const { text } = manifest;
  // What comes next stands in the text itself.
  const isLanguage = manifest.task === "language-model";
  return (
    <div className="overflow-x-auto">
      <table className="w-full border-collapse whitespace-nowrap">
        <thead>
          <tr className="border-b border-line text-left">
            <th scope="col" className="section-name px-3.5 py-2 text-right">
              {say("row")}
            </th>
            {!isLanguage && (
              <th scope="col" className="section-name px-3 py-2 text-ink2!">
                {manifest.targetName}
              </th>
            )}
            {manifest.columns.map((column) => (
              <th key={column} scope="col" className="section-name px-3 py-2 text-right">
                {column}
              </th>
            ))}
            {text && (
              <th scope="col" className="section-name px-3 py-2">
                {say("text")}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {page.samples.map((sample) => {
            const values = decodeTensor(sample.input, page.dtype);
            return (
              <tr key={sample.row} className="border-b border-line last:border-b-0 hover:bg-hover">
                <td className="figures px-3.5 py-1 text-right text-ink3">{sample.row}</td>
                {!isLanguage && <td className="px-3 py-1 font-medium">{targetText(sample.target, manifest.classes)}</td>}
                {manifest.columns.map((column, index) => (
                  <td key={column} className={cx("figures px-3 py-1 text-right", values[index] === 0 && "text-ink3")}>
                    {Number((values[index] ?? Number.NaN).toPrecision(5))}
                  </td>
                ))}
                {text && <td className="w-full max-w-0 truncate px-3 py-1">{decodeText(values, text)}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

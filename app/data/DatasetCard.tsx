"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { timeOf } from "../../core/data/series.ts";
import { decodeText } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { Badge } from "../ui/Badge.tsx";
import { formatCount } from "../ui/format.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { SeriesChart } from "./SeriesChart.tsx";
import { targetText } from "./targetText.ts";

export type DatasetSummary = Answers["datasets"]["list"][number];

/** A data set at a glance: its first samples, or its columns, and how much of it there is. */
export function DatasetCard({ dataset }: { dataset: DatasetSummary }) {
  return (
    <Link href={`/data/${dataset.id}`} className="group block min-w-0 overflow-hidden rounded-xl border border-line bg-raise hover:border-line2">
      <div className="h-[104px] overflow-hidden border-b border-line bg-sunk px-3.5 py-3">
        <Preview dataset={dataset} />
      </div>
      <div className="px-3.5 py-3">
        <div className="flex items-center justify-between gap-3">
          <h3 className="truncate font-semibold group-hover:underline">{dataset.name}</h3>
          {dataset.status !== "ready" && <Badge tone={dataset.status === "failed" ? "bad" : "plain"}>{dataset.status === "failed" ? say("Failed") : say("Preparing")}</Badge>}
        </div>
        <p className="mt-0.5 line-clamp-2 text-ink2">{dataset.failure?.message ?? dataset.description}</p>
        {dataset.task && (
          <p className="mt-2 flex flex-wrap items-baseline justify-between gap-x-3 text-ink2">
            <span>{taskNamed(dataset.task).title}</span>
            <span className="figures">{say("{train} samples", { train: formatCount(dataset.rows.train + dataset.rows.validation) })}</span>
          </p>
        )}
      </div>
    </Link>
  );
}

function Preview({ dataset }: { dataset: DatasetSummary }) {
  const trpc = useTRPC();
  const isImage = dataset.task !== null && taskNamed(dataset.task).input === "image";
  const samples = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split: "train", limit: isImage ? 36 : dataset.text ? 8 : 4, ...(isImage ? { side: 48 } : {}) },
      { enabled: dataset.status === "ready", staleTime: Infinity },
    ),
  );
  if (!samples.data) return null;
  const { dtype, shape } = samples.data;
  const { text, series } = dataset;
  const [first] = samples.data.samples;
  if (series && first)
    return (
      <SeriesChart
        past={decodeTensor(first.input, dtype)}
        ahead={{ truth: first.target }}
        label={say("The first window of {name}", { name: series.name })}
        timeAt={(index) => timeOf(series, index)}
        className="h-[84px]"
      />
    );
  if (text && dataset.task === "language-model" && first) return <p className="line-clamp-4 whitespace-pre-line">{decodeText(decodeTensor(first.input, dtype), text)}</p>;
  if (text) {
    return (
      <ul className="grid grid-cols-2 gap-x-4">
        {samples.data.samples.map((sample) => (
          <li key={sample.row} className="flex justify-between gap-2">
            <span className="truncate">{decodeText(decodeTensor(sample.input, dtype), text)}</span>
            <span className="truncate text-ink2">{targetText(sample.target, dataset.classes)}</span>
          </li>
        ))}
      </ul>
    );
  }
  if (!isImage) {
    // As many columns as fit; the rest is on the data set's own page.
    const columns = dataset.columns.slice(0, 4);
    return (
      <table className="w-full table-fixed">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="section-name truncate pr-2 text-left font-normal">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {samples.data.samples.map((sample) => {
            const values = decodeTensor(sample.input, dtype);
            return (
              <tr key={sample.row}>
                {columns.map((column, index) => (
                  <td key={column} className="figures truncate pr-2 text-ink2">
                    {Number((values[index] ?? Number.NaN).toPrecision(5))}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    );
  }
  return (
    <div className="grid grid-cols-12 gap-1">
      {samples.data.samples.map((sample) => (
        <SampleImage
          key={sample.row}
          bytes={sample.input}
          dtype={dtype}
          shape={shape}
          mask={sample.mask}
          label={sample.name ?? targetText(sample.target, dataset.classes)}
          className="rounded-sm"
        />
      ))}
    </div>
  );
}

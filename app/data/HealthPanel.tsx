"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { formatCount, formatMetric } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { ruleTitles } from "./missingRules.ts";
import { conversionTitles } from "./pictureWords.ts";

const partNames = { train: "training", validation: "validation" } as const;
const whereTexts = { train: "Twice in training", validation: "Twice in validation", across: "In training and in validation" } as const;
const similarTexts = { train: "Nearly the same in training", validation: "Nearly the same in validation", across: "Nearly the same in training and validation" } as const;

/** What may be wrong with a data set: gaps, rows that are there twice, columns that say nothing, values far off, uneven classes. */
export function HealthPanel({ datasetId, manifest }: { datasetId: string; manifest: Manifest }) {
  const trpc = useTRPC();
  const health = useQuery(trpc.datasets.health.queryOptions({ datasetId }, { staleTime: Infinity, retry: false }));
  const found = health.data;
  return (
    <Panel title="Health">
      <div className="px-3.5 pb-3">
        {health.isPending && <Loading label="Looking through the rows" className="h-24" />}
        {health.isError && <Failing what="The state of the rows" error={health.error} onRetry={() => void health.refetch()} />}
        {found && (
          <ul className="divide-y divide-line">
            <Balance manifest={manifest} />
            {(manifest.table?.missing ?? []).map(({ column, cells, rule }) => (
              <Finding key={column} title={`${column}: ${formatCount(cells)} without a value`}>
                {ruleTitles[rule]}
              </Finding>
            ))}
            {manifest.pictures && <PictureFiles pictures={manifest.pictures} />}
            {found.duplicates.map(({ where, count, contradictions, first }) => (
              <Finding key={where} tone={where === "across" ? "bad" : undefined} title={`${whereTexts[where]}: ${formatCount(count)} rows`}>
                {where === "across" && "What was learned by heart counts as known there: validation looks better than it is. "}
                {contradictions > 0 && `${formatCount(contradictions)} of them with another target. `}
                <Rows>{first.map(({ row, equals }) => `${placeText(row)} = ${placeText(equals)}`)}</Rows>
              </Finding>
            ))}
            {found.similar.map(({ where, count, first }) => (
              <Finding key={where} tone={where === "across" ? "bad" : undefined} title={`${similarTexts[where]}: ${formatCount(count)} pictures`}>
                {where === "across" && "What is known from training is easier in validation. "}
                <Rows>{first.map(({ row, equals }) => `${placeText(row)} ≈ ${placeText(equals)}`)}</Rows>
              </Finding>
            ))}
            {found.constant.length > 0 && <Finding title={`Always the same in training: ${found.constant.join(", ")}`}>Nothing can be learned from that.</Finding>}
            {found.outliers.map(({ column, count, first }) => (
              <Finding key={column} title={`${column}: ${formatCount(count)} far off`}>
                More than 6 standard deviations from the mean. <Rows>{first.map((place) => `${placeText(place)}: ${formatMetric(place.value)}`)}</Rows>
              </Finding>
            ))}
            {found.duplicates.length === 0 && <Finding title="No row is there twice">{`${formatCount(found.compared)} rows compared.`}</Finding>}
          </ul>
        )}
      </div>
    </Panel>
  );
}

/** A row by the name of its file, or by its number. */
function placeText({ split, row, name }: { split: keyof typeof partNames; row: number; name?: string }): string {
  return name === undefined ? `${partNames[split]} ${row}` : `${name} (${partNames[split]} ${row})`;
}

/** Files that could not be read, and what was done to those that were. */
function PictureFiles({ pictures: { refused, conversions } }: { pictures: NonNullable<Manifest["pictures"]> }) {
  return (
    <>
      {refused.count > 0 && (
        <Finding tone="bad" title={`${formatCount(refused.count)} ${refused.count === 1 ? "file" : "files"} left out`}>
          <span className="block max-h-40 overflow-auto">
            {refused.first.map(({ file, message }) => (
              <span key={file} className="block">
                {message}
              </span>
            ))}
            {refused.count > refused.first.length && `and ${formatCount(refused.count - refused.first.length)} more`}
          </span>
        </Finding>
      )}
      {conversions.map(({ what, count, first }) => (
        <Finding key={what} title={`${formatCount(count)} ${conversionTitles[what]}`}>
          {first.slice(0, 3).join(", ")}
          {count > 3 && ` and ${formatCount(count - Math.min(3, first.length))} more`}
        </Finding>
      ))}
    </>
  );
}

/** How uneven the classes are, where that is worth a word. */
function Balance({ manifest: { classes, splits } }: { manifest: Manifest }) {
  const counts = splits.train.classCounts;
  const unit = splits.train.target.shape.length > 1 ? "pixels" : "rows";
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const absent = classes.filter((_, index) => counts[index] === 0 || splits.validation.classCounts[index] === 0);
  if (classes.length === 0) return null;
  return (
    <>
      {absent.length > 0 && (
        <Finding tone="bad" title={`Not in both parts: ${absent.slice(0, 10).join(", ")}${absent.length > 10 ? ` and ${absent.length - 10} more` : ""}`}>
          These classes cannot be learned, or not be checked.
        </Finding>
      )}
      {least > 0 && most / least >= 3 ? (
        <Finding title={`Uneven classes, ${formatMetric(most / least)} to 1`}>
          Most {unit} are {classes[counts.indexOf(most)]}, fewest {classes[counts.indexOf(least)]}. Balanced class weights help.
        </Finding>
      ) : (
        absent.length === 0 && <Finding title="Classes are even">{`The largest has ${formatMetric(most / least)} times the ${unit} of the smallest.`}</Finding>
      )}
    </>
  );
}

function Finding({ title, tone, children }: { title: string; tone?: "bad"; children: ReactNode }) {
  return (
    <li className="py-2">
      <p className={tone === "bad" ? "font-medium break-words text-bad" : "font-medium break-words"}>{title}</p>
      <p className="text-sm break-words text-ink2">{children}</p>
    </li>
  );
}

function Rows({ children }: { children: readonly string[] }) {
  return <span className="tabular-nums">{children.join("; ")}</span>;
}

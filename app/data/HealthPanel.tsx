"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";
import { formatCount, formatMetric } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Say } from "../ui/Say.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { ruleTitles } from "./missingRules.ts";
import { conversionTitles } from "./pictureWords.ts";

const partNames = { train: say("training"), validation: say("validation") } as const;
const whereTexts = { train: say("Twice in training"), validation: say("Twice in validation"), across: say("In training and in validation") } as const;
const similarTexts = {
  train: say("Nearly the same in training"),
  validation: say("Nearly the same in validation"),
  across: say("Nearly the same in training and validation"),
} as const;

/** What may be wrong with a data set: gaps, rows that are there twice, columns that say nothing, values far off, uneven classes. */
export function HealthPanel({ datasetId, manifest }: { datasetId: string; manifest: Manifest }) {
  const trpc = useTRPC();
  const health = useQuery(trpc.datasets.health.queryOptions({ datasetId }, { staleTime: Infinity, retry: false }));
  const found = health.data;
  return (
    <Panel title={say("Health")}>
      <div className="px-3.5 pb-3">
        {health.isPending && <Loading label={say("Looking through the rows")} className="h-24" />}
        {health.isError && <Failing what={say("The state of the rows")} error={health.error} onRetry={() => void health.refetch()} />}
        {found && (
          <ul className="divide-y divide-line">
            <Balance manifest={manifest} />
            {(manifest.table?.missing ?? []).map(({ column, cells, rule }) => (
              <Finding key={column} title={say("{column}: {cells} without a value", { column, cells: formatCount(cells) })}>
                {ruleTitles[rule]}
              </Finding>
            ))}
            {manifest.pictures && <PictureFiles pictures={manifest.pictures} />}
            {found.duplicates.map(({ where, count, contradictions, first }) => (
              <Finding key={where} tone={where === "across" ? "bad" : undefined} title={say("{where}: {count} rows", { where: whereTexts[where], count: formatCount(count) })}>
                {where === "across" && say("What was learned by heart counts as known there: validation looks better than it is. ")}
                {contradictions > 0 && say("{contradictions} of them with another target. ", { contradictions: formatCount(contradictions) })}
                <Rows>{first.map(({ row, equals }) => `${placeText(row)} = ${placeText(equals)}`)}</Rows>
              </Finding>
            ))}
            {found.similar.map(({ where, count, first }) => (
              <Finding
                key={where}
                tone={where === "across" ? "bad" : undefined}
                title={say("{where}: {count} pictures", { where: similarTexts[where], count: formatCount(count) })}
              >
                {where === "across" && say("What is known from training is easier in validation. ")}
                <Rows>{first.map(({ row, equals }) => `${placeText(row)} ≈ ${placeText(equals)}`)}</Rows>
              </Finding>
            ))}
            {found.constant.length > 0 && (
              <Finding title={say("Always the same in training: {constant}", { constant: found.constant.join(", ") })}>{say("Nothing can be learned from that.")}</Finding>
            )}
            {found.outliers.map(({ column, count, first }) => (
              <Finding key={column} title={say("{column}: {count} far off", { column, count: formatCount(count) })}>
                {say("More than 6 standard deviations from the mean.")} <Rows>{first.map((place) => `${placeText(place)}: ${formatMetric(place.value)}`)}</Rows>
              </Finding>
            ))}
            {found.duplicates.length === 0 && <Finding title={say("No row is there twice")}>{say("{compared} rows compared.", { compared: formatCount(found.compared) })}</Finding>}
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
        <Finding tone="bad" title={say("{count} {n, plural, one {file} other {files}} left out", { count: formatCount(refused.count), n: refused.count })}>
          <span className="block max-h-40 overflow-auto">
            {refused.first.map(({ file, message }) => (
              <span key={file} className="block">
                {message}
              </span>
            ))}
            {refused.count > refused.first.length && say("and {count} more", { count: formatCount(refused.count - refused.first.length) })}
          </span>
        </Finding>
      )}
      {conversions.map(({ what, count, first }) => (
        <Finding key={what} title={`${formatCount(count)} ${conversionTitles[what]}`}>
          {first.slice(0, 3).join(", ")}
          {count > 3 && say(" and {count} more", { count: formatCount(count - Math.min(3, first.length)) })}
        </Finding>
      ))}
    </>
  );
}

/** How uneven the classes are, where that is worth a word. */
function Balance({ manifest: { classes, splits } }: { manifest: Manifest }) {
  const counts = splits.train.classCounts;
  const unit = splits.train.target.shape.length > 1 ? say("pixels") : say("rows");
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const absent = classes.filter((_, index) => counts[index] === 0 || splits.validation.classCounts[index] === 0);
  if (classes.length === 0) return null;
  return (
    <>
      {absent.length > 0 && (
        <Finding
          tone="bad"
          title={
            absent.length > 10
              ? say("Not in both parts: {absent} and {count} more", { absent: absent.slice(0, 10).join(", "), count: absent.length - 10 })
              : say("Not in both parts: {absent}", { absent: absent.slice(0, 10).join(", ") })
          }
        >
          {say("These classes cannot be learned, or not be checked.")}
        </Finding>
      )}
      {least > 0 && most / least >= 3 ? (
        <Finding title={say("Uneven classes, {most} to 1", { most: formatMetric(most / least) })}>
          <Say
            text="Most {unit} are {classes}, fewest {classes2}. Balanced class weights help."
            with={{ unit, classes: classes[counts.indexOf(most)], classes2: classes[counts.indexOf(least)] }}
          />
        </Finding>
      ) : (
        absent.length === 0 && (
          <Finding title={say("Classes are even")}>{say("The largest has {most} times the {unit} of the smallest.", { most: formatMetric(most / least), unit })}</Finding>
        )
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

"use client";

import { memo, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { countsByClass } from "../../../core/training/metrics/confusion.ts";
import { classColourText, UNKNOWN_CLASS } from "../../ui/classColours.ts";
import { formatPercent } from "../../ui/format.ts";
import { toBase64 } from "../../ui/inflate.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import type { Run } from "../run.ts";
import { usePinned } from "./usePinned.ts";

/** How well each class is found, and what of some pictures is taken for what. */
export function Segmentation({ run }: { run: Run }) {
  return (
    <>
      {run.evaluation?.confusion && <IouTable counts={run.evaluation.confusion} classes={run.dataset.classes} />}
      <Masks run={run} />
    </>
  );
}

/** IoU of each class over all validation pixels, and which class it is mistaken for most. */
const IouTable = memo(function IouTable({ counts, classes }: { counts: readonly (readonly number[])[]; classes: readonly string[] }) {
  const figures = countsByClass(counts.flat(), counts.length);
  const name = (index: number) => classes[index] ?? String(index);
  return (
    <section aria-label={say("IoU of each class")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("Classes")}</h3>
        <span className="text-xs text-ink2">{say("over all validation pixels")}</span>
      </header>
      <table className="w-full border-collapse">
        <thead>
          <tr className="text-left text-xs text-ink2">
            <th scope="col" className="pb-0.5 font-normal">
              {say("class")}
            </th>
            <th scope="col" className="pb-0.5 pl-2 font-normal">
              {say("IoU")}
            </th>
            <th scope="col" className="pb-0.5 pl-2 font-normal">
              {say("mistaken for")}
            </th>
          </tr>
        </thead>
        <tbody>
          {figures.map(({ actual, predicted, right }, index) => {
            const union = actual + predicted - right;
            const iou = union > 0 ? right / union : null;
            const missed = (counts[index] ?? []).map((count, other) => ({ count, other })).filter(({ other }) => other !== index);
            const worst = missed.reduce((most, one) => (one.count > most.count ? one : most), { count: 0, other: -1 });
            return (
              <tr key={index} className="border-t border-line">
                <th scope="row" className="max-w-0 py-1 text-left font-normal" style={{ width: "34%" }}>
                  <span className="flex items-center gap-1.5">
                    <Swatch index={index} />
                    <span className="truncate" title={name(index)}>
                      {name(index)}
                    </span>
                  </span>
                </th>
                <td className="py-1 pl-2">
                  <span className="flex items-center gap-2">
                    <span aria-hidden className="h-2 w-14 overflow-hidden rounded-sm bg-sunk">
                      <span className="block h-full bg-accent" style={{ width: `${(iou ?? 0) * 100}%` }} />
                    </span>
                    <span className="figures">{iou === null ? "–" : formatPercent(iou)}</span>
                  </span>
                </td>
                <td className="max-w-0 truncate py-1 pl-2 text-ink2" style={{ width: "34%" }}>
                  {worst.count > 0 ? `${formatPercent(worst.count / Math.max(1, actual))} ${name(worst.other)}` : actual === 0 ? say("not there") : say("nothing")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
});

/** The colour of a class in masks; what lies behind everything has none. */
function Swatch({ index }: { index: number }) {
  return <span aria-hidden className="size-2.5 shrink-0 rounded-[2px] border border-line2" style={index === 0 ? undefined : { background: classColourText(index) }} />;
}

const WAYS = [
  { id: "masks", title: say("Masks") },
  { id: "errors", title: say("Errors") },
] as const;

/** The same validation rows at every evaluation: the picture, the true mask over it, and the one that the network finds. */
function Masks({ run }: { run: Run }) {
  const { rows, samples, made } = usePinned(run);
  const [way, setWay] = useState<(typeof WAYS)[number]["id"]>("masks");
  const [strength, setStrength] = useState(0.6);
  if (!run.evaluation || rows.length === 0) return null;
  return (
    <section aria-label={say("Samples")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("The same {count} samples", { count: rows.length })}</h3>
        <span className="text-xs text-ink2">{say("after epoch {epoch}", { epoch: run.evaluation.epoch })}</span>
      </header>
      <div className="flex items-center justify-between gap-3 pb-2">
        <Segments label={say("What is laid over the pictures")} options={WAYS} value={way} onValue={setWay} />
        <label className="flex items-center gap-2 text-sm text-ink2">
          {say("Opacity")}
          <input type="range" min={0} max={1} step={0.05} value={strength} onChange={(event) => setStrength(Number(event.target.value))} className="w-20 accent-accent" />
        </label>
      </div>
      {samples.error ? (
        <Failing what={say("The samples")} error={samples.error} onRetry={() => void samples.refetch()} />
      ) : samples.isPending || made === null ? (
        <Loading label={say("Loading samples")} className="h-60" />
      ) : (
        <>
          <div aria-hidden className="grid grid-cols-3 gap-1.5 pb-1 text-xs text-ink2">
            <span>{say("picture")}</span>
            <span>{say("true")}</span>
            <span>{way === "masks" ? say("found") : say("wrong pixels")}</span>
          </div>
          <ul className="space-y-1.5">
            {samples.data.samples.map(({ row, input, target, mask: packed, name }, index) => {
              const found = made[index];
              const mask = packed ?? toBase64(target);
              const truth = decodeTensor(mask, "uint8");
              const share = found ? agreement(found, truth) : null;
              const words = `${name ?? say("Row {row}", { row })}${share === null ? "" : say(": {share} of its pixels right", { share: formatPercent(share) })}`;
              const picture = { bytes: input, dtype: samples.data.dtype, shape: samples.data.shape, strength, className: "rounded-sm" };
              return (
                <li key={row} title={words} className="grid grid-cols-3 gap-1.5">
                  <SampleImage {...picture} label={words} />
                  <SampleImage {...picture} muted mask={mask} label={say("{words}, true mask", { words })} />
                  {found && <SampleImage {...picture} muted mask={toBase64(way === "masks" ? found : errorsOf(found, truth))} label={say("{words}, found mask", { words })} />}
                </li>
              );
            })}
          </ul>
        </>
      )}
    </section>
  );
}

/** The share of the known pixels that two masks agree on. */
function agreement(found: ArrayLike<number>, truth: ArrayLike<number>): number {
  let known = 0;
  let right = 0;
  for (let at = 0; at < truth.length; at++) {
    if (truth[at] === UNKNOWN_CLASS) continue;
    known++;
    if (found[at] === truth[at]) right++;
  }
  return right / Math.max(1, known);
}

/** Wrong pixels in the colour of what they were taken for; where background was found, in that of what is there. */
function errorsOf(found: ArrayLike<number>, truth: ArrayLike<number>): Uint8Array {
  return Uint8Array.from({ length: truth.length }, (_, at) => {
    const [seen = 0, right = 0] = [found[at], truth[at]];
    return right === UNKNOWN_CLASS || seen === right ? 0 : seen || right;
  });
}

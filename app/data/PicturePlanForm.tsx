"use client";

import { useState } from "react";
import { classesOf, type Fit, guessPicturePlan, PICTURE_LIMITS, type PictureFacts, type PicturePlan, type PictureTask } from "../../core/data/pictures.ts";
import { Field, Select, TextInput } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { PlanForm, SplitFields } from "./PlanForm.tsx";
import { passedOverTitles } from "./pictureWords.ts";

const fits: readonly { id: Fit; title: string }[] = [
  { id: "pad", title: "Pad" },
  { id: "crop", title: "Crop" },
  { id: "stretch", title: "Stretch" },
];
/** More folders or colours than this are there, but are not drawn one by one. */
const SHOWN = 200;
const sizes = [32, 48, 64, 96, 128, 160, 192, 224, 256];

/** What was found in a folder of pictures, and how it is to be read: every guess can be corrected. */
export function PicturePlanForm({
  fileName,
  facts,
  problem,
  onTask,
  onOther,
  onCreate,
}: {
  fileName: string;
  facts: PictureFacts;
  problem: string | null;
  onTask: (task: PictureTask) => void;
  onOther: () => void;
  onCreate: (name: string, plan: PicturePlan) => Promise<void>;
}) {
  const [plan, setPlan] = useState(() => guessPicturePlan(facts));
  const isMasks = plan.task === "semantic-segmentation";
  const change = (part: Partial<PicturePlan>) => setPlan((before) => ({ ...before, ...part }));
  const rename = (at: number, to: string) =>
    change({ labels: plan.labels.map((label, index) => (index === at ? { ...label, name: to.trim() === "" ? null : to.slice(0, 120) } : label)) });
  const classes = classesOf(plan);
  const megabytes = (facts.pictures * plan.size ** 2 * (plan.colour === "grey" ? 1 : 3)) / 2 ** 20;
  const isTooLarge = megabytes * 2 ** 20 > PICTURE_LIMITS.arrayBytes;
  const isReady = classes.length >= 2 && !isTooLarge;

  return (
    <PlanForm
      fileName={fileName}
      about={
        <>
          {formatCount(facts.pictures)} {isMasks ? "pictures with masks" : "pictures"}, {rangeText(facts.width)} × {rangeText(facts.height)}{" "}
          {facts.colourPictures === 0 ? "in grey" : facts.colourPictures === facts.pictures ? "in colour" : `of which ${formatCount(facts.colourPictures)} in colour`}
        </>
      }
      preview={
        <ul aria-label="Some of the pictures" className="grid grid-cols-6 gap-1.5 sm:grid-cols-12">
          {facts.preview.map(({ file, label, png }) => (
            <li key={file}>
              <img src={`data:image/png;base64,${png}`} alt={label ? `${label}: ${file}` : file} title={file} className="aspect-square w-full rounded-sm bg-sunk object-contain" />
            </li>
          ))}
        </ul>
      }
      problem={problem}
      other="Something else"
      isReady={isReady}
      onOther={onOther}
      onCreate={(name) => onCreate(name, { ...plan, labels: plan.labels.map(({ from, name: to }) => ({ from, name: to?.trim() ?? null })) })}
      fields={
        <>
          <Field label="Learn">
            {() => (
              <Segments
                label="Task"
                options={[
                  { id: "image-classification", title: "A class" },
                  { id: "semantic-segmentation", title: "Each pixel" },
                ]}
                value={plan.task}
                onValue={(task) => task !== plan.task && onTask(task)}
              />
            )}
          </Field>
          <Field label="Size" doc="Height and width of what the network sees, in pixels.">
            {(ids) => (
              <Select {...ids} value={plan.size} onChange={(event) => change({ size: Number(event.target.value) })}>
                {[...new Set([plan.size, ...sizes])]
                  .sort((a, b) => a - b)
                  .map((size) => (
                    <option key={size} value={size}>
                      {size} × {size}
                    </option>
                  ))}
              </Select>
            )}
          </Field>
          <Field label="Other shapes" doc="Pad: the whole picture with black at its sides. Crop: its middle. Stretch: the whole picture, pulled into shape.">
            {() => <Segments label="Other shapes" options={fits} value={plan.fit} onValue={(fit) => change({ fit })} />}
          </Field>
          <Field label="Colour">
            {() => (
              <Segments
                label="Colour"
                options={[
                  { id: "rgb", title: "Colour" },
                  { id: "grey", title: "Grey" },
                ]}
                value={plan.colour}
                onValue={(colour) => change({ colour })}
              />
            )}
          </Field>
        </>
      }
      moreFields={
        <>
          <SplitFields
            split={plan.split}
            ways={[{ how: "given", title: "As the folders say", isDisabled: !facts.hasGivenSplit }, { how: "stratified", isDisabled: isMasks }, { how: "random" }]}
            onSplit={(split) => change({ split })}
          />
          <Notes facts={facts} />
        </>
      }
      note={
        <span className={isTooLarge || classes.length < 2 ? "text-bad" : "text-ink2"}>
          {classes.length < 2
            ? "Name at least two classes."
            : isTooLarge
              ? `Takes ${formatCount(Math.ceil(megabytes))} MiB; the limit is ${formatCount(Math.floor(PICTURE_LIMITS.arrayBytes / 2 ** 20))}. Choose a smaller size.`
              : `${formatCount(classes.length)} classes, ${megabytes < 1 ? "under 1" : formatCount(Math.ceil(megabytes))} MiB`}
        </span>
      }
    >
      <div className="max-h-[30dvh] overflow-auto rounded-lg border border-line">
        <table aria-label={isMasks ? "Colours of the masks" : "Folders"} className="w-full border-collapse text-left">
          <thead>
            <tr>
              {[isMasks ? "Colour in the masks" : "Folder", "Class", isMasks ? "Share of pixels" : "Pictures"].map((title) => (
                <th key={title} scope="col" className="section-name sticky top-0 z-10 bg-panel px-3 py-1.5">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {facts.labels.slice(0, SHOWN).map(({ from, train, validation, unsplit, pixelShare }, at) => (
              <tr key={from} className="border-t border-line">
                <th scope="row" className="max-w-56 truncate px-3 py-1 font-medium" title={from}>
                  {isMasks && <span aria-hidden className="mr-2 inline-block size-3 rounded-sm border border-line2 align-[-1px]" style={{ background: from }} />}
                  {from || "(no folder)"}
                </th>
                <td className="w-64 px-3 py-1">
                  <TextInput
                    aria-label={`Class of ${from || "(no folder)"}`}
                    placeholder={isMasks ? "nothing is known there" : "left out"}
                    maxLength={120}
                    value={plan.labels[at]?.name ?? ""}
                    onChange={(event) => rename(at, event.target.value)}
                  />
                </td>
                <td className="figures px-3 py-1 text-ink2">
                  {pixelShare !== null
                    ? `${Number((pixelShare * 100).toPrecision(3))}%`
                    : unsplit > 0
                      ? formatCount(train + validation + unsplit)
                      : `${formatCount(train)} training, ${formatCount(validation)} validation`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </PlanForm>
  );
}

/** What of the files is not used, and why. */
function Notes({ facts: { refused, passedOver, moreColours } }: { facts: PictureFacts }) {
  const more = (count: number, shown: number) => (count > shown ? ` and ${formatCount(count - shown)} more` : "");
  return (
    <ul className="mt-2 space-y-1 text-sm text-ink2">
      {refused.count > 0 && (
        <li className="[overflow-wrap:anywhere] text-bad">
          {formatCount(refused.count)} cannot be read and {refused.count === 1 ? "is" : "are"} left out:{" "}
          {refused.first
            .slice(0, 3)
            .map(({ message }) => message)
            .join(" ")}
          {more(refused.count, 3)}
        </li>
      )}
      {passedOver.map(({ why, count, first }) => (
        <li key={why} className="[overflow-wrap:anywhere]">
          {formatCount(count)} {passedOverTitles[why]}: {first.slice(0, 3).join(", ")}
          {more(count, 3)}
        </li>
      ))}
      {moreColours > 0 && <li>{formatCount(moreColours)} rarer colours count as the nearest one where masks are JPEG; a PNG mask with another colour is left out.</li>}
    </ul>
  );
}

function rangeText({ least, middle, most }: PictureFacts["width"]): string {
  return least === most ? String(middle) : `${least}–${most}`;
}

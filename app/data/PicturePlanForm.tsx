"use client";

import { useState } from "react";
import { classesOf, type Fit, guessPicturePlan, PICTURE_LIMITS, type PictureFacts, type PicturePlan, type PictureTask } from "../../core/data/pictures.ts";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { Field, Select, TextInput } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { FoundRow, FoundTable, found } from "./FoundTable.tsx";
import { PlanForm, SplitFields } from "./PlanForm.tsx";
import { passedOverTitles } from "./pictureWords.ts";

const fits: readonly { id: Fit; title: string }[] = [
  { id: "pad", title: say("Pad") },
  { id: "crop", title: say("Crop") },
  { id: "stretch", title: say("Stretch") },
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
          {formatCount(facts.pictures)} {isMasks ? say("pictures with masks") : say("pictures")}, {rangeText(facts.width)} × {rangeText(facts.height)}{" "}
          {facts.colourPictures === 0
            ? say("in grey")
            : facts.colourPictures === facts.pictures
              ? say("in colour")
              : say("of which {colourPictures} in colour", { colourPictures: formatCount(facts.colourPictures) })}
        </>
      }
      preview={
        <ul aria-label={say("Some of the pictures")} className="grid grid-cols-6 gap-1.5 sm:grid-cols-12">
          {facts.preview.map(({ file, label, png, aspect }) => (
            <li key={file} className="overflow-hidden rounded-sm bg-sunk">
              <img
                src={`data:image/png;base64,${png}`}
                alt={label ? `${label}: ${file}` : file}
                title={file}
                className={cx("aspect-square w-full", plan.colour === "grey" && !isMasks && "grayscale")}
                style={{ scale: scaleOf(plan.fit, aspect) }}
              />
            </li>
          ))}
        </ul>
      }
      problem={problem}
      other={say("Something else")}
      isReady={isReady}
      onOther={onOther}
      onCreate={(name) => onCreate(name, { ...plan, labels: plan.labels.map(({ from, name: to }) => ({ from, name: to?.trim() ?? null })) })}
      fields={
        <>
          <Field label={say("Learn")}>
            {() => (
              <Segments
                label={say("Task")}
                options={[
                  { id: "image-classification", title: say("A class") },
                  { id: "semantic-segmentation", title: say("Each pixel") },
                ]}
                value={plan.task}
                onValue={(task) => task !== plan.task && onTask(task)}
              />
            )}
          </Field>
          <Field label={say("Size")} doc={say("Height and width of what the network sees, in pixels.")}>
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
          <Field label={say("Other shapes")} doc={say("Pad: the whole picture with black at its sides. Crop: its middle. Stretch: the whole picture, pulled into shape.")}>
            {() => <Segments label={say("Other shapes")} options={fits} value={plan.fit} onValue={(fit) => change({ fit })} />}
          </Field>
          <Field label={say("Colour")}>
            {() => (
              <Segments
                label={say("Colour")}
                options={[
                  { id: "rgb", title: say("Colour") },
                  { id: "grey", title: say("Grey") },
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
            ways={[{ how: "given", title: say("As the folders say"), isDisabled: !facts.hasGivenSplit }, { how: "stratified", isDisabled: isMasks }, { how: "random" }]}
            onSplit={(split) => change({ split })}
          />
          <Notes facts={facts} />
        </>
      }
      note={
        <span className={isTooLarge || classes.length < 2 ? "text-bad" : "text-ink2"}>
          {classes.length < 2
            ? say("Name at least two classes.")
            : isTooLarge
              ? say("Takes {megabytes} MiB; the limit is {arrayBytes}. Choose a smaller size.", {
                  megabytes: formatCount(Math.ceil(megabytes)),
                  arrayBytes: formatCount(Math.floor(PICTURE_LIMITS.arrayBytes / 2 ** 20)),
                })
              : say("{count} classes, {under} MiB", { count: formatCount(classes.length), under: megabytes < 1 ? say("under 1") : formatCount(Math.ceil(megabytes)) })}
        </span>
      }
    >
      <FoundTable
        label={isMasks ? say("Colours of the masks") : say("Folders")}
        titles={[isMasks ? say("Colour in the masks") : say("Folder"), say("Class"), isMasks ? say("Share of pixels") : say("Pictures")]}
      >
        {facts.labels.slice(0, SHOWN).map(({ from, train, validation, unsplit, pixelShare }, at) => (
          <FoundRow key={from}>
            <th scope="row" className={cx(found.name, "truncate leading-7")} title={from}>
              {isMasks && <span aria-hidden className="mr-2 inline-block size-3 rounded-sm border border-line2 align-[-1px]" style={{ background: from }} />}
              {from || say("(no folder)")}
            </th>
            <td className={cx(found.choice, "sm:w-64")}>
              <TextInput
                aria-label={say("Class of {from}", { from: from || say("(no folder)") })}
                placeholder={isMasks ? say("nothing is known there") : say("left out")}
                maxLength={120}
                value={plan.labels[at]?.name ?? ""}
                onChange={(event) => rename(at, event.target.value)}
              />
            </td>
            <td className={cx(found.wide, "figures leading-7 text-ink2")}>
              {pixelShare !== null
                ? `${Number((pixelShare * 100).toPrecision(3))}%`
                : unsplit > 0
                  ? formatCount(train + validation + unsplit)
                  : say("{train} training, {validation} validation", { train: formatCount(train), validation: formatCount(validation) })}
            </td>
          </FoundRow>
        ))}
      </FoundTable>
    </PlanForm>
  );
}

/** What of the files is not used, and why. */
function Notes({ facts: { refused, passedOver, moreColours } }: { facts: PictureFacts }) {
  const more = (count: number, shown: number) => (count > shown ? say(" and {count} more", { count: formatCount(count - shown) }) : "");
  return (
    <ul className="mt-2 space-y-1 text-sm text-ink2">
      {refused.count > 0 && (
        <li className="[overflow-wrap:anywhere] text-bad">
          {say("{count} cannot be read and {n, plural, one {is} other {are}} left out: {first}{more}", {
            count: formatCount(refused.count),
            n: refused.count,
            first: refused.first
              .slice(0, 3)
              .map(({ message }) => message)
              .join(" "),
            more: more(refused.count, 3),
          })}
        </li>
      )}
      {passedOver.map(({ why, count, first }) => (
        <li key={why} className="[overflow-wrap:anywhere]">
          {formatCount(count)} {passedOverTitles[why]}: {first.slice(0, 3).join(", ")}
          {more(count, 3)}
        </li>
      ))}
      {moreColours > 0 && (
        <li>
          {say("{moreColours} rarer colours count as the nearest one where masks are JPEG; a PNG mask with another colour is left out.", { moreColours: formatCount(moreColours) })}
        </li>
      )}
    </ul>
  );
}

/** How a padded square is pulled so that its picture lies in it as the fit has it. */
function scaleOf(fit: Fit, aspect: number): string {
  const [x, y] = [Math.max(1, 1 / aspect), Math.max(1, aspect)];
  return fit === "pad" ? "1" : fit === "crop" ? String(Math.max(x, y)) : `${x} ${y}`;
}

function rangeText({ least, middle, most }: PictureFacts["width"]): string {
  return least === most ? String(middle) : `${least}–${most}`;
}

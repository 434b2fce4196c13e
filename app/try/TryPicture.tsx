"use client";

import { useMemo, useState } from "react";
import { say } from "../../core/language/say.ts";
import { argmax, toProbabilities } from "../../core/training/probability.ts";
import { targetText } from "../data/targetText.ts";
import { Button } from "../ui/Button.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import { toBase64 } from "../ui/inflate.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { decodeTensor, imageSize } from "../ui/tensorBytes.ts";
import { Bars, isDigits } from "./Bars.tsx";
import { Camera } from "./Camera.tsx";
import { paintDigit, type Stroke } from "./digit.ts";
import { ModelState } from "./ModelState.tsx";
import { PickedOrDrawn } from "./PickedOrDrawn.tsx";
import { readPicture } from "./picture.ts";
import { SampleGrid } from "./SampleGrid.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type Sample, type TryRun, useValidationSamples } from "./useValidationSamples.ts";

const MIDDLE = { fit: "crop", colour: "rgb" } as const;

/** What is drawn, chosen, dropped or before the camera, and what the network takes it for. */
export function TryPicture({ run, artifactId }: { run: TryRun; artifactId: string }) {
  const { classes, inputShape } = run.dataset;
  const size = imageSize(inputShape);
  const canDraw = size?.channels === 1 && size.height === size.width;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const [strokes, setStrokes] = useState<readonly Stroke[]>([]);
  const [picked, setPicked] = useState<Sample | null>(null);
  // Colour pictures that came with the product have no plan of how they were cut: the middle of a picture is taken.
  const pictures = run.dataset.pictures ?? (size?.channels === 3 && size.height === size.width ? MIDDLE : null);
  // A picture of the person's own, as the network takes it.
  const [own, setOwn] = useState<readonly number[] | null>(null);
  const [unreadable, setUnreadable] = useState<string | null>(null);

  async function look(at: File | HTMLVideoElement): Promise<void> {
    if (!pictures || !size) return;
    setUnreadable(null);
    setPicked(null);
    setStrokes([]);
    try {
      setOwn(Array.from(await readPicture(at, { ...pictures, size: size.height })));
    } catch {
      setUnreadable(at instanceof File ? say("{name} is no picture that this browser can read.", { name: at.name }) : say("The camera shows no picture yet."));
    }
  }

  const side = size?.height ?? 28;
  const input = useMemo(() => {
    if (picked && samples.data) return Array.from(decodeTensor(picked.input, samples.data.dtype));
    if (own) return own;
    return strokes.length > 0 ? Array.from(paintDigit(strokes, side)) : null;
  }, [picked, samples.data, own, strokes, side]);
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, input);
  const chances = output && toProbabilities(output, classes.length);
  const seen = useMemo(() => (input && !picked ? toBase64(input) : null), [input, picked]);
  const answer = chances ? argmax(chances) : -1;

  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      {pictures && (
        <>
          <DropZone label={say("Picture")} accept=".png,.jpg,.jpeg" busy={null} onFile={(file) => void look(file)}>
            {say("A picture of your own, brought into shape as those it learned from were.")}
          </DropZone>
          <Camera onFrame={look} />
        </>
      )}
      {unreadable !== null && (
        <p role="alert" className="text-bad">
          {unreadable}
        </p>
      )}
      {canDraw && !pictures && (
        <div className="relative mx-auto max-w-[264px]">
          <PickedOrDrawn samples={samples.data} picked={picked} label={isDigits(classes) ? say("Draw a digit") : say("Draw")} strokes={strokes} onStrokes={setStrokes} />
          {!picked && strokes.length === 0 && (
            <p aria-hidden className="pointer-events-none absolute inset-0 grid place-items-center text-[#a8a59c]">
              {isDigits(classes) ? say("Draw a digit here") : say("Draw here")}
            </p>
          )}
        </div>
      )}
      <div className="flex min-h-8 items-center gap-2">
        <Button
          size="sm"
          disabled={strokes.length === 0 && !picked && !own}
          onClick={() => {
            setOwn(null);
            setStrokes([]);
            setPicked(null);
          }}
        >
          {say("Clear")}
        </Button>
        {seen && (
          <span className="flex items-center gap-1.5 text-sm text-ink2">
            <SampleImage bytes={seen} dtype="uint8" shape={inputShape} label={say("What the network sees")} className={pictures ? "w-16! rounded-sm" : "w-8! rounded-sm"} />
            {say("as the network sees it")}
          </span>
        )}
        <span role="status" className="ml-auto font-semibold">
          {answer >= 0 &&
            (picked ? (
              <Verdict answer={classes[answer] ?? String(answer)} truth={targetText(picked.target, classes)} />
            ) : (
              say("It reads {answer}", { answer: classes[answer] ?? answer })
            ))}
        </span>
      </div>
      <Bars classes={classes} chances={chances} />
      {samples.data && (
        <SampleGrid
          legend={canDraw ? say("Or take a validation sample") : undefined}
          samples={samples.data}
          picked={picked}
          saysOf={({ target }) => targetText(target, classes)}
          onPick={(sample) => setPicked(picked?.row === sample.row ? null : sample)}
        />
      )}
    </div>
  );
}

function Verdict({ answer, truth }: { answer: string; truth: string }) {
  return answer === truth ? say("It reads {answer}, right", { answer }) : <span className="text-bad">{say("It reads {answer}, true is {truth}", { answer, truth })}</span>;
}

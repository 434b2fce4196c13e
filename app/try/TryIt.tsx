"use client";

import { useMemo, useState } from "react";
import { decodeText, encodeText, splitText } from "../../core/data/text.ts";
import { argmax, toProbabilities } from "../../core/training/probability.ts";
import { chosenOption, type Feature, featuresOf, featureTitle } from "../dashboard/features.ts";
import type { Run } from "../dashboard/run.ts";
import { targetText } from "../data/targetText.ts";
import { Button } from "../ui/Button.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import { Field, NumberInput, Select, TextInput } from "../ui/Field.tsx";
import { formatMetric } from "../ui/format.ts";
import { toBase64 } from "../ui/inflate.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { decodeTensor, imageSize } from "../ui/tensorBytes.ts";
import { Bars, isDigits } from "./Bars.tsx";
import { Camera } from "./Camera.tsx";
import { DrawPad } from "./DrawPad.tsx";
import { paintDigit, type Stroke } from "./digit.ts";
import { ModelState } from "./ModelState.tsx";
import { readPicture } from "./picture.ts";
import { SampleGrid } from "./SampleGrid.tsx";
import { TryForecast } from "./TryForecast.tsx";
import { TryLanguage } from "./TryLanguage.tsx";
import { TryMask } from "./TryMask.tsx";
import { TryRebuild } from "./TryRebuild.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type Sample, type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** The run's own ONNX file, at work in this browser: what is drawn or filled in goes through it at once. */
export function TryIt({ run }: { run: TryRun }) {
  const onnx = run.artifacts.find(({ kind }) => kind === "onnx");
  if (!onnx) return null;
  if (run.dataset.task === "language-model" && run.dataset.text) return <TryLanguage run={run} text={run.dataset.text} artifactId={onnx.id} />;
  if (run.dataset.series) return <TryForecast run={run} series={run.dataset.series} artifactId={onnx.id} />;
  if (run.dataset.text) return <TryText run={run} text={run.dataset.text} artifactId={onnx.id} />;
  if (run.dataset.task === "semantic-segmentation") return <TryMask run={run} artifactId={onnx.id} />;
  if (run.dataset.task === "autoencoder") return <TryRebuild run={run} artifactId={onnx.id} />;
  return run.dataset.task === "image-classification" ? <TryPicture run={run} artifactId={onnx.id} /> : <TryRow run={run} artifactId={onnx.id} />;
}

const MIDDLE = { fit: "crop", colour: "rgb" } as const;

function TryPicture({ run, artifactId }: { run: TryRun; artifactId: string }) {
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
      setUnreadable(at instanceof File ? `${at.name} is no picture that this browser can read.` : "The camera shows no picture yet.");
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
          <DropZone label="Picture" accept=".png,.jpg,.jpeg" busy={null} onFile={(file) => void look(file)}>
            A picture of your own, brought into shape as those it learned from were.
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
          {picked && samples.data ? (
            <SampleImage
              bytes={picked.input}
              dtype={samples.data.dtype}
              shape={samples.data.shape}
              label={`Validation row ${picked.row}`}
              className="rounded-lg border border-line2"
            />
          ) : (
            <DrawPad label={isDigits(classes) ? "Draw a digit" : "Draw"} strokes={strokes} onStrokes={setStrokes} />
          )}
          {!picked && strokes.length === 0 && (
            <p aria-hidden className="pointer-events-none absolute inset-0 grid place-items-center text-[#a8a59c]">
              {isDigits(classes) ? "Draw a digit here" : "Draw here"}
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
          Clear
        </Button>
        {seen && (
          <span className="flex items-center gap-1.5 text-sm text-ink2">
            <SampleImage bytes={seen} dtype="uint8" shape={inputShape} label="What the network sees" className={pictures ? "w-16! rounded-sm" : "w-8! rounded-sm"} />
            as the network sees it
          </span>
        )}
        <span role="status" className="ml-auto font-semibold">
          {answer >= 0 && (picked ? <Verdict answer={classes[answer] ?? String(answer)} truth={targetText(picked.target, classes)} /> : `It reads ${classes[answer] ?? answer}`)}
        </span>
      </div>
      <Bars classes={classes} chances={chances} />
      {samples.data && (
        <SampleGrid
          legend={canDraw ? "Or take a validation sample" : undefined}
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
  return answer === truth ? (
    <>It reads {answer}, right</>
  ) : (
    <span className="text-bad">
      It reads {answer}, true is {truth}
    </span>
  );
}

function TryText({ run, text, artifactId }: { run: TryRun; text: NonNullable<Run["dataset"]["text"]>; artifactId: string }) {
  const { classes, inputShape } = run.dataset;
  const loaded = useOnnx(artifactId, null);
  const samples = useValidationSamples(run);
  const [written, setWritten] = useState("");
  const longest = inputShape[0] ?? 1;
  const input = useMemo(() => {
    const numbers = encodeText(written.trim(), text);
    return numbers.length > 0 ? numbers : null;
  }, [written, text]);
  const unknown = [...new Set(splitText(written.trim(), text).filter((piece) => !text.tokens.includes(piece)))];
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, input);
  const chances = output && classes.length > 0 ? toProbabilities(output, classes.length) : null;
  const answer = chances ? argmax(chances) : -1;
  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <Field
        label="Write something"
        hint={
          unknown.length > 0
            ? `Not in its vocabulary: ${unknown.join(" ")}`
            : input && input.length > longest
              ? `Longer than anything it learned from, which ends at ${longest}.`
              : undefined
        }
      >
        {(ids) => <TextInput {...ids} value={written} maxLength={2_000} onChange={(event) => setWritten(event.target.value)} />}
      </Field>
      <p role="status" className="min-h-5 font-semibold">
        {answer >= 0 ? `It says ${classes[answer] ?? answer}` : classes.length === 0 && output && `It says ${formatMetric(output[0])}`}
      </p>
      {classes.length > 0 && <Bars classes={classes} chances={chances} />}
      {samples.data && (
        <fieldset className="pt-1">
          <legend className="section-name pb-1.5 text-ink2">Or take a validation sample</legend>
          <div className="flex flex-wrap gap-1.5">
            {samples.data.samples.map((sample) => {
              const words = decodeText(decodeTensor(sample.input, samples.data.dtype), text);
              return (
                <Button key={sample.row} size="sm" aria-pressed={written === words} title={`True is ${targetText(sample.target, classes)}`} onClick={() => setWritten(words)}>
                  {words}
                </Button>
              );
            })}
          </div>
        </fieldset>
      )}
    </div>
  );
}

function TryRow({ run, artifactId }: { run: TryRun; artifactId: string }) {
  const { columns, classes, inputShape } = run.dataset;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const features = useMemo(() => featuresOf(columns), [columns]);
  const [edited, setEdited] = useState<readonly number[] | null>(null);
  const [picked, setPicked] = useState(0);
  const sample = samples.data?.samples[picked];
  const start = useMemo(() => (sample && samples.data ? Array.from(decodeTensor(sample.input, samples.data.dtype)) : null), [sample, samples.data]);
  const values = edited ?? start;
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, values);
  const chances = output && classes.length > 0 ? toProbabilities(output, classes.length) : null;
  const truth = sample && !edited ? targetText(sample.target, classes) : null;

  if (samples.error) return <Failing what="The samples" error={samples.error} onRetry={() => void samples.refetch()} />;
  if (!samples.data || !values) return <Loading label="Loading samples" className="h-60" />;

  function set(index: number, value: number): void {
    if (values) setEdited(values.map((old, at) => (at === index ? value : old)));
  }

  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <div>
        <Field label="Start from">
          {(ids) => (
            <Select
              {...ids}
              value={edited ? "" : String(picked)}
              onChange={(event) => {
                setEdited(null);
                setPicked(Number(event.target.value));
              }}
            >
              {edited && <option value="">your own values</option>}
              {samples.data.samples.map(({ row, target }, index) => (
                <option key={row} value={index}>
                  validation row {row} ({targetText(target, classes)})
                </option>
              ))}
            </Select>
          )}
        </Field>
        {features.map((feature) => (
          <FeatureField key={feature.name} feature={feature} values={values} onNumber={set} onChoice={(choice) => setEdited(choose(values, feature, choice))} />
        ))}
      </div>
      {classes.length > 0 ? (
        <>
          {truth && <p className="text-ink2">True is {truth}.</p>}
          <Bars classes={classes} chances={chances} />
        </>
      ) : (
        <p className="flex items-baseline gap-2">
          <span className="text-ink2">It predicts</span>
          <output aria-label="Prediction" className="text-figure font-semibold tabular-nums">
            {formatMetric(output?.[0])}
          </output>
          {truth && <span className="text-ink2">true is {truth}</span>}
        </p>
      )}
    </div>
  );
}

function FeatureField({
  feature,
  values,
  onNumber,
  onChoice,
}: {
  feature: Feature;
  values: readonly number[];
  onNumber: (index: number, value: number) => void;
  onChoice: (label: string) => void;
}) {
  return (
    <Field label={featureTitle(feature.name)}>
      {(ids) =>
        feature.kind === "number" ? (
          <NumberInput {...ids} value={Number((values[feature.index] ?? 0).toPrecision(7))} onValue={(value) => onNumber(feature.index, value)} />
        ) : (
          <Select {...ids} value={chosenOption(feature, values) ?? ""} onChange={(event) => onChoice(event.target.value)}>
            {chosenOption(feature, values) === null && <option value="">none</option>}
            {feature.options.map(({ label }) => (
              <option key={label} value={label}>
                {label}
              </option>
            ))}
          </Select>
        )
      }
    </Field>
  );
}

/** The row with one option of a feature set and its others cleared. */
function choose(values: readonly number[], feature: Feature, label: string): number[] {
  const next = [...values];
  if (feature.kind === "choice") for (const option of feature.options) next[option.index] = option.label === label ? 1 : 0;
  return next;
}

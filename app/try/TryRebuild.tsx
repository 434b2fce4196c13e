"use client";

import { useCallback, useMemo, useState } from "react";
import { decoderOf } from "../../core/export/decoder.ts";
import { exportOnnx } from "../../core/export/onnx.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { LatentMap } from "../../core/training/latentMap.ts";
import { Scatter } from "../dashboard/results/LatentMap.tsx";
import { Button } from "../ui/Button.tsx";
import { toBase64 } from "../ui/inflate.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { decodeTensor, imageSize } from "../ui/tensorBytes.ts";
import { paintDigit, type Stroke } from "./digit.ts";
import { ModelState } from "./ModelState.tsx";
import { fetchFile, openOnnx } from "./onnxModel.ts";
import { PickedOrDrawn } from "./PickedOrDrawn.tsx";
import { SampleGrid } from "./SampleGrid.tsx";
import { useModel, useOnnx, usePrediction } from "./usePrediction.ts";
import { type Sample, type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** What is drawn or chosen, and what the network makes of it; where it keeps two numbers of a picture, any two of them draw one. */
export function TryRebuild({ run, artifactId }: { run: TryRun; artifactId: string }) {
  const { inputShape } = run.dataset;
  const size = imageSize(inputShape);
  const canDraw = size?.channels === 1 && size.height === size.width;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const [strokes, setStrokes] = useState<readonly Stroke[]>([]);
  const [chosen, setChosen] = useState<Sample | null>(null);
  const first = samples.data?.samples[0] ?? null;
  const picked = chosen ?? (canDraw ? null : first);
  const input = useMemo(() => {
    if (picked && samples.data) return Array.from(decodeTensor(picked.input, samples.data.dtype));
    return strokes.length > 0 ? Array.from(paintDigit(strokes, size?.height ?? 28)) : null;
  }, [picked, samples.data, strokes, size?.height]);
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, input);
  const weights = run.artifacts.find(({ kind, refusal }) => kind === "safetensors" && refusal === null);
  const map = run.evaluation?.latent;

  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <div className="grid grid-cols-2 gap-2">
        <figure>
          <PickedOrDrawn samples={samples.data} picked={picked} label={say("Draw")} strokes={strokes} onStrokes={setStrokes} />
          <figcaption className="pt-0.5 text-sm text-ink2">{picked ? say("row {row}", { row: picked.row }) : say("draw here")}</figcaption>
        </figure>
        <figure>
          {output ? (
            <SampleImage bytes={toBase64(toBytes(output))} dtype="uint8" shape={inputShape} label={say("Rebuilt")} className="rounded-lg border border-line2" />
          ) : (
            <div className="aspect-square rounded-lg border border-line2 bg-sunk" />
          )}
          <figcaption className="pt-0.5 text-sm text-ink2">{say("rebuilt")}</figcaption>
        </figure>
      </div>
      {canDraw && (
        <Button
          size="sm"
          disabled={strokes.length === 0 && !chosen}
          onClick={() => {
            setStrokes([]);
            setChosen(null);
          }}
        >
          {say("Clear")}
        </Button>
      )}
      {samples.data && (
        <SampleGrid
          legend={canDraw ? say("Or take a validation sample") : undefined}
          samples={samples.data}
          picked={picked}
          onPick={(sample) => setChosen(chosen?.row === sample.row ? null : sample)}
        />
      )}
      {map?.width === 2 && weights && <Decode run={run} map={map} weightsId={weights.id} />}
    </div>
  );
}

/** Any two numbers as a picture: the second half of the network alone, made out of its graph and weights in this browser. */
function Decode({ run, map, weightsId }: { run: TryRun; map: LatentMap; weightsId: string }) {
  const decoder = useMemo(() => decoderOf(run.graph), [run.graph]);
  const open = useCallback(
    async (signal: AbortSignal) => {
      if (!decoder) throw new Error(say("What the network draws depends on more than these numbers."));
      const { tensors } = readSafetensors(await fetchFile(`/api/artifacts/${weightsId}`, signal));
      return openOnnx(exportOnnx(decoder.graph, tensors), decoder.shape);
    },
    [decoder, weightsId],
  );
  const loaded = useModel(open);
  const [place, setPlace] = useState<readonly [number, number]>(() => [middle(map.x), middle(map.y)]);
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, place);
  if (!decoder) return null;
  return (
    <section aria-label={say("Draw from two numbers")} className="space-y-2 border-t border-line pt-3">
      <h3 className="section-name text-ink2">{say("Draw from two numbers")}</h3>
      {(loaded.state === "failed" || problem) && <ModelState loaded={loaded} problem={problem} />}
      <div className="grid grid-cols-2 gap-2">
        <Scatter map={map} only={null} pointed={null} place={place} onPlace={(x, y) => setPlace([x, y])} />
        {output ? (
          <SampleImage
            bytes={toBase64(toBytes(output))}
            dtype="uint8"
            shape={run.dataset.inputShape}
            label={say("Drawn from two numbers")}
            className="rounded-lg border border-line2"
          />
        ) : (
          <div className="aspect-square rounded-lg border border-line2 bg-sunk" />
        )}
      </div>
      {(["x", "y"] as const).map((axis, index) => {
        const [low, high] = [Math.min(...map[axis]), Math.max(...map[axis])];
        return (
          <label key={axis} className="flex items-center gap-2 text-sm text-ink2">
            {index === 0 ? say("First") : say("Second")}
            <input
              type="range"
              min={low}
              max={high}
              step={(high - low) / 200 || 1}
              value={place[index] ?? 0}
              onChange={(event) => setPlace(index === 0 ? [Number(event.target.value), place[1]] : [place[0], Number(event.target.value)])}
              className="min-w-0 flex-1 accent-accent"
            />
            <span className="figures w-12 text-right text-ink">{printFixed(place[index] ?? 0, 2)}</span>
          </label>
        );
      })}
    </section>
  );
}

function middle(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Numbers from 0 to 1 as bytes. */
function toBytes(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import type { Sample, Samples } from "./useValidationSamples.ts";

/** Validation pictures to pick one of; `saysOf` adds to a picture's name what it shows. */
export function SampleGrid({
  legend = say("Take a validation sample"),
  samples: { samples, dtype, shape },
  picked,
  saysOf,
  onPick,
}: {
  legend?: string;
  samples: Samples;
  picked: Sample | null;
  saysOf?: (sample: Sample) => string;
  onPick: (sample: Sample) => void;
}) {
  return (
    <fieldset className="pt-1">
      <legend className="section-name pb-1.5 text-ink2">{legend}</legend>
      <div className="grid grid-cols-6 gap-1.5">
        {samples.map((sample) => (
          <button
            key={sample.row}
            type="button"
            aria-pressed={picked?.row === sample.row}
            aria-label={saysOf ? say("Validation sample {row}, {sample}", { row: sample.row, sample: saysOf(sample) }) : say("Validation sample {row}", { row: sample.row })}
            onClick={() => onPick(sample)}
            className={cx("overflow-hidden rounded-md border", picked?.row === sample.row ? "border-accent ring-1 ring-accent" : "border-line2 hover:border-ink3")}
          >
            <SampleImage bytes={sample.input} dtype={dtype} shape={shape} label="" />
          </button>
        ))}
      </div>
    </fieldset>
  );
}

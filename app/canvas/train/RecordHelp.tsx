import { say } from "../../../core/language/say.ts";
import { readParams } from "../../../core/layers/params.ts";
import type { Loss, ParamValues } from "../../../core/training/records.ts";
import { Curve } from "../help/LayerPicture.tsx";

type Words = { name: string; formula: string; when: string; source: string };

/** What a loss, an optimizer or a schedule computes and when to use it, folded away below the choice of it. A picture comes before the words. */
export function RecordHelp({ record: { name, formula, when, source }, children }: { record: Words; children?: React.ReactNode }) {
  return (
    <details className="my-1 rounded-md border border-line text-sm">
      <summary className="cursor-pointer px-2 py-1 hover:bg-sunk">{say("About {title}", { title: name })}</summary>
      <div className="space-y-2 px-2 pt-1 pb-2 text-ink2">
        {children}
        <pre className="overflow-x-auto font-mono whitespace-pre-wrap">{formula}</pre>
        <p>{when}</p>
        {source && (
          <a href={source} target="_blank" rel="noreferrer" className="inline-block text-accent hover:underline">
            {new URL(source).hostname === "pytorch.org" ? say("PyTorch's page on {title}", { title: name }) : say("Where it comes from")}
          </a>
        )}
      </div>
    </details>
  );
}

/** The same for a loss with these parameters, with its curve. */
export function LossHelp({ loss, params }: { loss: Loss; params: ParamValues }) {
  const { values } = readParams(loss.params, params);
  return (
    <RecordHelp record={loss}>
      <figure>
        <Curve title={loss.name} curve={(x) => loss.curve.at(x, values)} color="var(--series-1)" />
        <figcaption className="figures pt-0.5">{loss.curve.of}</figcaption>
      </figure>
    </RecordHelp>
  );
}

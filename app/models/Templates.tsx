"use client";

import { layerOf } from "../../core/graph/bypass.ts";
import { say } from "../../core/language/say.ts";
import { firstSteps, type Template, templates } from "../../core/templates/index.ts";
import { checked } from "../canvas/checked.ts";
import { GraphDrawing } from "../canvas/GraphDrawing.tsx";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import type { Answers } from "../ui/trpc.ts";
import { useAddress } from "../ui/useAddress.ts";

const of =
  (...tasks: Template["task"][]) =>
  ({ task }: Template): boolean =>
    tasks.includes(task);

const isDynamic = ({ graph }: Template): boolean => graph.nodes.some((node) => layerOf(node)?.category === "control");

/** What people look for among the templates; one may be found under several. */
const TOPICS: readonly { id: string; title: string; holds: (template: Template) => boolean }[] = [
  { id: "first", title: say("First steps"), holds: (template) => firstSteps.includes(template) },
  { id: "pictures", title: say("Pictures"), holds: of("image-classification", "semantic-segmentation", "autoencoder") },
  { id: "tables", title: say("Tables"), holds: of("tabular-classification", "tabular-regression") },
  { id: "text", title: say("Text"), holds: of("text-classification", "text-regression", "language-model") },
  { id: "series", title: say("Series"), holds: of("forecasting") },
  { id: "dynamic", title: say("Dynamic graphs"), holds: isDynamic },
  { id: "all", title: say("All {count}", { count: templates.length }), holds: () => true },
];

/** What one can start from, by what it is about. */
export function Templates({
  hasModels,
  datasets,
  disabled,
  onStart,
  onEmpty,
}: {
  /** Somebody who has models needs no explanation, and the page's title is above. */
  hasModels: boolean;
  datasets: Answers["datasets"]["list"];
  disabled: boolean;
  onStart: (templateId: string) => void;
  onEmpty: () => void;
}) {
  const [chosen, choose] = useAddress("templates");
  const Title = hasModels ? "h2" : "h1";
  const topic = TOPICS.find(({ id }) => id === chosen) ?? TOPICS[0];
  return (
    <section aria-labelledby="templates">
      <Title id="templates" className={hasModels ? "mb-2 text-lg font-semibold" : "text-title font-semibold"}>
        {say("Start from a template")}
      </Title>
      {!hasModels && <p className="mb-3 max-w-prose text-ink2">{say("Each opens as a drawing you can change. Press Train there, and it learns on real data on this machine.")}</p>}
      <div className="mb-3 overflow-x-auto">
        <Segments label={say("Templates about")} options={TOPICS} value={topic?.id ?? ""} onValue={(id) => choose(id === TOPICS[0]?.id ? null : id)} />
      </div>
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {templates
          .filter((template) => topic?.holds(template))
          .map((template) => (
            <li key={template.id} className="min-w-0">
              <Card
                template={template}
                datasetName={datasets.find(({ builtin }) => builtin === template.datasetBuiltin)?.name}
                disabled={disabled}
                onStart={() => onStart(template.id)}
              />
            </li>
          ))}
        <li className="min-w-0">
          <button
            type="button"
            disabled={disabled}
            onClick={onEmpty}
            className="flex h-full min-h-32 w-full flex-col items-start justify-end rounded-xl border border-dashed border-line2 bg-[radial-gradient(var(--line2)_1px,transparent_1px)] bg-size-[24px_24px] px-3.5 py-3 text-left hover:border-ink3"
          >
            <span className="font-semibold">{say("Empty canvas")}</span>
            <span className="text-ink2">{say("Draw a network of your own, layer by layer.")}</span>
          </button>
        </li>
      </ul>
    </section>
  );
}

function Card({ template, datasetName, disabled, onStart }: { template: Template; datasetName?: string; disabled: boolean; onStart: () => void }) {
  return (
    <article className="group relative h-full overflow-hidden rounded-xl border border-line bg-raise focus-within:border-accent hover:border-line2">
      <div className="h-[120px] border-b border-line bg-panel px-3.5 py-3">
        <GraphDrawing graph={template.graph} label={say("Drawing of {title}", { title: template.title })} />
      </div>
      <div className="px-3.5 py-3">
        <div className="flex items-baseline justify-between gap-3">
          {/* The button is as large as the card, and is called by its own few words. */}
          <button type="button" disabled={disabled} onClick={onStart} className="text-left font-semibold after:absolute after:inset-0 group-hover:underline">
            <span className="sr-only">{say("Start from")} </span>
            {template.title}
          </button>
          <span className="figures text-ink2">{say("{parameters} parameters", { parameters: formatCount(checked(template.graph).totals.parameters) })}</span>
        </div>
        <p className="mt-0.5 text-ink2">{template.doc}</p>
        <p className="mt-2 min-h-[1lh] text-sm text-ink2">{datasetName && say("On {datasetName}", { datasetName })}</p>
      </div>
    </article>
  );
}

import type { Node } from "../../../core/graph/document.ts";
import { say } from "../../../core/language/say.ts";
import type { NodeTypes } from "../../../core/layers/kit.ts";
import { type Layer, portsOf } from "../../../core/layers/kit.ts";
import { printParam } from "../paramText.ts";
import { type AtWork, exampleOf, isKnown, torchLine } from "./example.ts";
import { LayerPicture, type Spread } from "./LayerPicture.tsx";

/** A page about a layer, all of it from the layer's record. `node` and `types`: the one at hand, whose sizes the picture then shows. */
export function LayerHelp({
  layer,
  node,
  types,
  brief,
  spread,
  children,
}: {
  layer: Layer;
  node?: Node;
  types?: NodeTypes;
  brief?: boolean /** The numbers that come in, for the picture of a curve. */;
  spread?: Spread /** Stands below the picture. */;
  children?: React.ReactNode;
}) {
  const here: AtWork | null = node && types && isKnown(layer, node, types) ? { node, types } : null;
  const atWork = here ?? exampleOf(layer);
  const line = atWork && torchLine(layer, atWork);
  const { inputs, outputs } = node ? portsOf(layer, node) : layer;
  const params = Object.entries(layer.params).filter(([, param]) => !param.hidden);
  return (
    <div className="space-y-3.5">
      <p>{said(layer.doc)}</p>
      <LayerPicture layer={layer} atWork={atWork} spread={spread} />
      {children}
      {layer.formula && <pre className="overflow-x-auto rounded-md bg-sunk px-2.5 py-2 font-mono text-sm whitespace-pre-wrap">{layer.formula}</pre>}
      {layer.when && (
        <Part title={say("When to use it")}>
          <p className="text-ink2">{said(layer.when)}</p>
        </Part>
      )}
      {line && (
        <Part title={say("In PyTorch")}>
          <code className="block overflow-x-auto rounded-md bg-sunk px-2.5 py-2 font-mono text-sm whitespace-pre">{line}</code>
        </Part>
      )}
      {!brief && params.length > 0 && (
        <Part title={say("Parameters")}>
          <dl className="space-y-1.5">
            {params.map(([name, param]) => (
              <div key={name}>
                <dt className="flex justify-between gap-3 font-mono text-sm">
                  {name} <span className="min-w-0 truncate text-ink3">{printParam(param.default, param.control)}</span>
                </dt>
                <dd className="text-ink2">{said(param.doc)}</dd>
              </div>
            ))}
          </dl>
        </Part>
      )}
      {!brief && <Ports title={say("Inputs")} ports={inputs} />}
      {!brief && <Ports title={say("Outputs")} ports={outputs} />}
      {layer.source && (
        <a href={layer.source} target="_blank" rel="noreferrer" className="inline-block text-accent hover:underline">
          {say("PyTorch's page on {title}", { title: layer.title })}
        </a>
      )}
    </div>
  );
}

/** Text in which `code` stands between backticks. */
function said(text: string): React.ReactNode {
  if (!text.includes("`")) return text;
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code key={index} className="font-mono text-sm">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="section-name pb-1">{title}</h3>
      {children}
    </section>
  );
}

function Ports({ title, ports }: { title: string; ports: Layer["inputs"] }) {
  if (Object.keys(ports).length === 0) return null;
  return (
    <Part title={title}>
      <dl className="space-y-1.5">
        {Object.entries(ports).map(([port, { doc, optional, many }]) => (
          <div key={port}>
            <dt className="font-mono text-sm">
              {port}
              {optional && <span className="text-ink3"> {say("may stay empty")}</span>}
              {many && <span className="text-ink3"> {say("takes many wires")}</span>}
            </dt>
            <dd className="text-ink2">{said(doc)}</dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}

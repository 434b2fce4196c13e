"use client";

import { memo, useMemo, useState } from "react";
import { checkGraph } from "../../core/graph/check.ts";
import { bind } from "../../core/graph/dims.ts";
import type { Body, Graph, Node } from "../../core/graph/document.ts";
import { withoutFurniture } from "../../core/graph/furniture.ts";
import { formatShape } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import type { Layer } from "../../core/layers/kit.ts";
import { readParams } from "../../core/layers/params.ts";
import { type Glow, glowOf, type Look, measures, sizesOf } from "../../core/training/look.ts";
import { categoryColor } from "../canvas/categories.ts";
import { GlowChoice, GlowLegend } from "../canvas/pulse/GlowChoice.tsx";
import { readShown, writeShown } from "../canvas/pulse/shown.ts";
import { formatCount } from "../ui/format.ts";
import { NodeTable } from "./NodeTable.tsx";

const WIDTH = 184;
const HEIGHT = 46;
const MARGIN = 12;

/**
 * The network as it was when the run began, drawn where its nodes stood. What is inside zones and blocks is counted, not
 * drawn: the studio opens them. `fault` is the path of the node that broke the run; `look` the last step that was looked at, whose
 * figures the nodes show and by whose batch the shapes on the wires are.
 */
export const FrozenGraph = memo(function FrozenGraph({ graph, runId, fault, look = null }: { graph: Graph; runId: string; fault?: string | null; look?: Look | null }) {
  const [shown, setShown] = useState(readShown);
  const measure = measures.find(({ id }) => id === shown);
  const checked = useMemo(() => checkGraph(graph), [graph]);
  const box = useMemo(() => bounds(graph), [graph]);
  const glow = useMemo(
    (): Glow =>
      look && measure
        ? glowOf(
            look,
            withoutFurniture(graph).nodes.map(({ id }) => id),
            measure,
          )
        : new Map(),
    [graph, look, measure],
  );
  const sizes = useMemo(() => (look ? sizesOf(look, graph, checked) : {}), [look, graph, checked]);
  if (graph.nodes.length === 0) return <p className="text-ink2">{say("This graph is empty.")}</p>;
  const faulty = fault?.split("/")[0] ?? null;
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));

  return (
    <figure className="space-y-2.5">
      {look && (
        <div className="space-y-1.5">
          <GlowChoice
            shown={shown}
            onShown={(next) => {
              writeShown(next);
              setShown(next);
            }}
          />
          {measure && (
            <>
              <GlowLegend measure={measure} />
              <p className="text-sm text-ink2">{measure.doc}</p>
            </>
          )}
        </div>
      )}
      <svg
        role="img"
        aria-label={say("The frozen graph: {count} nodes, {parameters} parameters", { count: graph.nodes.length, parameters: formatCount(checked.totals.parameters) })}
        viewBox={`${box.x} ${box.y} ${box.width} ${box.height}`}
        className="mx-auto block w-full"
        style={{ maxWidth: box.width }}
      >
        {graph.edges.map((edge) => {
          const from = byId.get(edge.from.node);
          const to = byId.get(edge.to.node);
          if (!from || !to) return null;
          const [x0, y0, x1, y1] = [from.at.x + WIDTH / 2, from.at.y + HEIGHT, to.at.x + WIDTH / 2, to.at.y];
          const bend = Math.max(16, Math.abs(y1 - y0) / 2);
          const type = checked.types.get(edge.from.node)?.outputs[edge.from.port];
          return (
            <g key={edge.id}>
              <path d={`M${x0} ${y0} C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}`} fill="none" stroke="var(--line2)" strokeWidth={1.5} />
              {type && (
                <text
                  x={(x0 + x1) / 2 + 8}
                  y={(y0 + y1) / 2 + 3.5}
                  fontSize={10}
                  fontFamily="var(--font-mono)"
                  fill="var(--ink2)"
                  stroke="var(--panel)"
                  strokeWidth={4}
                  paintOrder="stroke"
                >
                  {formatShape(type.shape.map((dim) => bind(dim, sizes)))}
                </text>
              )}
            </g>
          );
        })}
        {withoutFurniture(graph).nodes.map((node) => (
          <NodeBox key={node.id} node={node} parameters={checked.parameterCount.get(node.id) ?? 0} faulty={node.id === faulty} glow={glow.get(node.id)} />
        ))}
      </svg>
      <figcaption className="text-sm text-ink2 tabular-nums">
        {say("{count} nodes, {parameters} parameters, {multiplyAdds} multiply-adds a sample", {
          count: formatCount(graph.nodes.length),
          parameters: formatCount(checked.totals.parameters),
          multiplyAdds: formatCount(checked.totals.multiplyAdds),
        })}
      </figcaption>
      {look && <NodeTable graph={graph} look={look} runId={runId} sizes={sizes} />}
    </figure>
  );
});

function NodeBox({ node, parameters, faulty, glow }: { node: Node; parameters: number; faulty: boolean; glow: ReturnType<Glow["get"]> }) {
  const layer = findLayer(node.type);
  const inner = Object.values(node.bodies ?? {}).reduce((sum, body) => sum + countNodes(body), 0);
  const line = inner > 0 ? say("{inner} {inner, plural, one {node} other {nodes}} inside", { inner }) : layer ? summaryOf(layer, node) : say("unknown to this version");
  return (
    <g transform={`translate(${node.at.x} ${node.at.y})`}>
      <title>{`${node.name || layer?.title || node.type}${line ? `: ${line}` : ""}${glow ? `. ${glow.title} ${glow.text}. ${glow.remark ?? ""}` : ""}`}</title>
      {glow && (
        <rect
          x={-2}
          y={-2}
          width={WIDTH + 4}
          height={HEIGHT + 4}
          rx={10}
          fill="none"
          stroke={glow.remark ? "var(--warn)" : "var(--glow)"}
          strokeWidth={glow.remark ? 4 : 2 + 5 * glow.level}
          strokeOpacity={glow.remark ? 1 : 0.2 + 0.6 * glow.level}
        />
      )}
      <rect
        width={WIDTH}
        height={HEIGHT}
        rx={8}
        fill={faulty ? "var(--bad-soft)" : "var(--raise)"}
        stroke={faulty ? "var(--bad)" : "var(--line2)"}
        strokeWidth={faulty ? 1.5 : 1}
      />
      <rect x={6} y={8} width={3} height={HEIGHT - 16} rx={1.5} fill={categoryColor(layer?.category ?? null)} />
      <text x={17} y={line ? 19 : 27} fontSize={12.5} fontWeight={600} fill="var(--ink)">
        {clip(node.name || layer?.title || node.type, parameters > 0 ? 18 : 24)}
      </text>
      {line && (
        <text x={17} y={35} fontSize={11.5} fill="var(--ink2)">
          {clip(line, 27)}
        </text>
      )}
      {glow && (
        <text
          x={WIDTH - 9}
          y={35}
          fontSize={10.5}
          textAnchor="end"
          fontFamily="var(--font-mono)"
          fill={glow.remark ? "var(--warn)" : "var(--ink)"}
          stroke="var(--raise)"
          strokeWidth={4}
          paintOrder="stroke"
        >
          {glow.text}
        </text>
      )}
      {parameters > 0 && (
        <text x={WIDTH - 9} y={19} fontSize={10} textAnchor="end" fontFamily="var(--font-mono)" fill="var(--ink2)">
          {formatCount(parameters)}
        </text>
      )}
    </g>
  );
}

/** The line under the name; nothing where a parameter is out of its range. */
function summaryOf(layer: Layer, node: Node): string {
  const { values, problems } = readParams(layer.params, node.params);
  return problems.length === 0 ? layer.summary(values) : "";
}

function countNodes(body: Body): number {
  return body.nodes.reduce((sum, node) => sum + 1 + Object.values(node.bodies ?? {}).reduce((inside, inner) => inside + countNodes(inner), 0), 0);
}

function bounds(graph: Graph): { x: number; y: number; width: number; height: number } {
  const xs = graph.nodes.map(({ at }) => at.x);
  const ys = graph.nodes.map(({ at }) => at.y);
  const x = Math.min(...xs) - MARGIN;
  const y = Math.min(...ys) - MARGIN;
  // Room at the right for the shape on the last wire.
  return { x, y, width: Math.max(...xs) + WIDTH + 40 + MARGIN - x, height: Math.max(...ys) + HEIGHT + MARGIN - y };
}

const clip = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

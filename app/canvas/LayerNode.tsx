"use client";

import { Handle, type Node, type NodeProps, Position, useUpdateNodeInternals } from "@xyflow/react";
import { ChevronDown, ChevronRight, Link2, Snowflake } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { formatCount, formatShort } from "../ui/format.ts";
import { categoryColor } from "./categories.ts";
import { canConnect } from "./connect.ts";
import { renameNode } from "./edits.ts";
import { setOpen } from "./folds.ts";
import { Inside } from "./Inside.tsx";
import { widthFor } from "./measured.ts";
import { NodePreview } from "./preview/NodePreview.tsx";
import { usePulse } from "./pulse/usePulse.ts";
import { useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";
import type { NodeView, PortView } from "./view.ts";

export type FlowNode = Node<NodeView, "layer">;

/** A node on the canvas. Drawn wholly from its view; it knows no layer by name. */
export const LayerNode = memo(function LayerNode({ data: view, selected }: NodeProps<FlowNode>) {
  const zone = view.bodies.length > 0;
  const open = view.bodies.some((body) => body.drawing !== null);
  const glow = usePulse((s) => s.glow.get(view.id));
  // Ports of a block come and go with its body; wires must then find them anew.
  const ports = [...[...view.inputs, ...view.outputs].map((port) => port.id), open].join(" ");
  const drawn = useRef(ports);
  const updateNodeInternals = useUpdateNodeInternals();
  useEffect(() => {
    if (drawn.current !== ports) updateNodeInternals(view.id);
    drawn.current = ports;
  }, [ports, view.id, updateNodeInternals]);
  if (view.dot) {
    return (
      <div className="layer-dot" data-selected={selected || undefined} data-severity={view.severity ?? undefined} title={view.title}>
        <Ports node={view.id} title={view.label} type="target" ports={view.inputs} />
        <Ports node={view.id} title={view.label} type="source" ports={view.outputs} />
      </div>
    );
  }
  return (
    <div
      className="layer-node"
      data-selected={selected || undefined}
      data-severity={view.severity ?? undefined}
      data-zone={zone || undefined}
      data-open={open || undefined}
      data-copies={view.copies || undefined}
      data-unknown={!view.known || undefined}
      data-bypassed={view.bypassed || undefined}
      data-frozen={view.frozen || undefined}
      data-glow={glow ? (glow.remark ? "remark" : "plain") : undefined}
      style={{ "--bar": categoryColor(view.category), "--level": glow?.level, minWidth: widthFor(Math.max(view.inputs.length, view.outputs.length)) } as React.CSSProperties}
    >
      <Ports node={view.id} title={view.label} type="target" ports={view.inputs} />
      <span className="layer-bar" aria-hidden />
      {view.inputs.length > 1 && <PortNames ports={view.inputs} />}
      <div className="layer-head">
        {zone && <Fold id={view.id} title={view.title} open={open} />}
        <Name id={view.id} title={view.title} />
        {open && view.summary !== "" && <span className="layer-summary">{view.summary}</span>}
        <span className="layer-marks">
          {view.lender !== null && (
            <span
              className="layer-link"
              role="img"
              aria-label={say("Uses the weights of {lender}", { lender: view.lender })}
              title={say("Uses the weights of {lender}", { lender: view.lender })}
            >
              <Link2 size={12} aria-hidden />
            </span>
          )}
          {view.frozen && (
            <span className="layer-link" role="img" aria-label={say("Frozen: its weights stay as they are")} title={say("Frozen: its weights stay as they are")}>
              <Snowflake size={12} aria-hidden />
            </span>
          )}
          {view.shared && (
            <span className="layer-count" title={say("Version {version}, used {count} times", { version: view.shared.version, count: view.shared.count })}>
              ×{view.shared.count}
            </span>
          )}
          {view.parameters !== null && view.parameters > 0 && (
            <span className="layer-count" title={say("{parameters} parameters", { parameters: formatCount(view.parameters) })}>
              {view.parameters < 100_000 ? formatCount(view.parameters) : formatShort(view.parameters)}
            </span>
          )}
          {view.severity === "error" && view.parameters === null && (
            <span className="layer-count" aria-hidden>
              ?
            </span>
          )}
        </span>
      </div>
      {!open && view.summary !== "" && <div className="layer-summary">{view.summary}</div>}
      {open && (
        <div className="layer-inside">
          {view.bodies.map(
            ({ role, text, problem, drawing }) => drawing && <Inside key={role} role={role} named={view.bodies.length > 1} text={text} problem={problem} drawing={drawing} />,
          )}
        </div>
      )}
      {zone && !open && (
        <dl className="layer-bodies">
          {view.bodies.map((body) => (
            <div key={body.role} data-problem={body.problem || undefined}>
              <dt>{body.role}</dt>
              <dd>{body.text}</dd>
            </div>
          ))}
        </dl>
      )}
      {view.outputs.length > 1 && <PortNames ports={view.outputs} />}
      <Ports node={view.id} title={view.label} type="source" ports={view.outputs} />
      {glow && (
        <span className="layer-glow" title={glow.remark ?? undefined}>
          <span className="sr-only">{glow.title} </span>
          {glow.text}
          {glow.remark && <span className="sr-only">. {glow.remark}</span>}
        </span>
      )}
      <NodePreview id={view.id} title={view.title} />
    </div>
  );
});

/** Shows or hides what is inside. */
function Fold({ id, title, open }: { id: string; title: string; open: boolean }) {
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      className="layer-fold nodrag nopan"
      aria-expanded={open}
      aria-label={say("Inside of {title}", { title })}
      onClick={(event) => {
        event.stopPropagation();
        setOpen(pathOf(useGraph.getState().scope, id), !open);
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      <Icon size={12} aria-hidden />
    </button>
  );
}

/** Ports stand evenly along their edge of the node, in the layer's order. */
const Ports = memo(function Ports({ node, title, type, ports }: { node: string; title: string; type: "source" | "target"; ports: PortView[] }) {
  // Only the start of a wire matters here: nodes draw once when it is picked up and once when it is let go, and never ask while the view moves.
  const from = useStudio((s) => (s.wiring && s.wiring.type !== type ? s.wiring : null));
  return ports.map((port, index) => {
    const ends = { node, port: port.id };
    const open = from !== null && (type === "target" ? canConnect(from, ends) : canConnect(ends, from)) === null;
    return (
      <Handle
        key={port.id}
        id={port.id}
        type={type}
        position={type === "target" ? Position.Top : Position.Bottom}
        className="layer-port"
        data-open={open || undefined}
        data-optional={port.optional || undefined}
        data-missing={port.missing || undefined}
        role="button"
        aria-label={`${title.split(" ").at(-1)} ${type === "target" ? "input" : "output"} ${port.id}`}
        title={`${port.id}${port.shape ? `  ${port.shape}` : ""}`}
        style={{ left: `${((index + 0.5) / ports.length) * 100}%` }}
      />
    );
  });
});

function PortNames({ ports }: { ports: PortView[] }) {
  return (
    <div className="layer-ports" aria-hidden>
      {ports.map((port) => (
        <span key={port.id}>{port.id}</span>
      ))}
    </div>
  );
}

/** What a node is called, or the field in which that is written. */
export function Name({ id, title }: { id: string; title: string }) {
  const renaming = useStudio((s) => s.renaming === id);
  return renaming ? <NameField id={id} title={title} /> : <span className="layer-name">{title}</span>;
}

function NameField({ id, title }: { id: string; title: string }) {
  const field = useRef<HTMLInputElement>(null);
  const given = useRef(false);
  useEffect(() => field.current?.select(), []);
  function done(keep: boolean): void {
    if (given.current) return;
    given.current = true;
    useStudio.setState({ renaming: null });
    const name = field.current?.value.trim() ?? "";
    if (keep && name !== title) renameNode(id, name);
  }
  return (
    <input
      ref={field}
      aria-label={say("Name")}
      defaultValue={title}
      maxLength={120}
      className="layer-name-field nodrag nopan"
      onBlur={() => done(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") done(true);
        if (event.key === "Escape") done(false);
      }}
    />
  );
}

"use client";

import { type Node, type NodeProps, NodeResizeControl } from "@xyflow/react";
import { Fragment, memo, type ReactNode, useEffect, useRef, useState } from "react";
import { type FurnitureType, furnitureParams, NOTE_LETTERS } from "../../core/graph/furniture.ts";
import { say } from "../../core/language/say.ts";
import { setFurniture } from "./furnitureEdits.ts";
import { Name } from "./LayerNode.tsx";
import { type Block, readNote, type Span } from "./noteText.ts";
import { useStudio } from "./useStudio.ts";
import type { FurnitureView } from "./view.ts";

export type FlowFurniture = Node<FurnitureView, FurnitureType>;

type Size = { width: number; height: number };

/** The grip at the lower right corner, and the size while it is held. */
function useSize({ id, type, width, height }: FurnitureView): { size: Size; grip: ReactNode } {
  const [held, setHeld] = useState<Size | null>(null);
  const least = (of: "width" | "height") => {
    const control = furnitureParams(type)?.[of]?.control;
    return control?.kind === "int" ? control.min : undefined;
  };
  const grip = (
    <NodeResizeControl
      position="bottom-right"
      className="furniture-grip nodrag"
      minWidth={least("width")}
      minHeight={least("height")}
      onResize={(_, to) => setHeld({ width: Math.round(to.width), height: Math.round(to.height) })}
      onResizeEnd={(_, to) => {
        setHeld(null);
        setFurniture(id, { width: Math.round(to.width), height: Math.round(to.height) });
      }}
    />
  );
  return { size: held ?? { width, height }, grip };
}

/** A sticky note: markdown-light text, edited in its place. */
export const NoteNode = memo(function NoteNode({ data: view, selected }: NodeProps<FlowFurniture>) {
  const { size, grip } = useSize(view);
  const editing = useStudio((s) => s.renaming === view.id);
  return (
    <div className="note" data-color={view.color} data-selected={selected || undefined} style={size}>
      {editing ? (
        <NoteField view={view} />
      ) : (
        <div className="note-text">{view.text.trim() === "" ? <p className="note-empty">{say("Double-click to write")}</p> : <NoteText text={view.text} />}</div>
      )}
      {grip}
    </div>
  );
});

function NoteField({ view }: { view: FurnitureView }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const done = useRef(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(view.text.length, view.text.length);
  }, [view.text.length]);
  function finish(keep: boolean): void {
    if (done.current) return;
    done.current = true;
    useStudio.setState({ renaming: null });
    if (keep) setFurniture(view.id, { text: field.current?.value ?? "" });
  }
  return (
    <textarea
      ref={field}
      aria-label={say("Note")}
      defaultValue={view.text}
      maxLength={NOTE_LETTERS}
      placeholder={say("# Heading, - list, **bold**, *italic*, `code`")}
      className="note-field nodrag nopan nowheel"
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) finish(true);
        if (event.key === "Escape") finish(true);
      }}
    />
  );
}

/** A titled box behind the nodes that it holds; it is taken by its title. */
export const FrameNode = memo(function FrameNode({ data: view, selected }: NodeProps<FlowFurniture>) {
  const { size, grip } = useSize(view);
  return (
    <div className="frame" data-color={view.color} data-selected={selected || undefined} style={size}>
      <div className="frame-title">
        <Name id={view.id} title={view.title} />
      </div>
      {grip}
    </div>
  );
});

function NoteText({ text }: { text: string }) {
  return readNote(text).map((block, i) => <NoteBlock key={i} block={block} />);
}

function NoteBlock({ block }: { block: Block }) {
  if (block.kind === "heading") {
    return (
      <p className="note-heading" data-level={block.level}>
        <Spans spans={block.spans} />
      </p>
    );
  }
  if (block.kind === "list") {
    const items = block.items.map((spans, i) => (
      <li key={i}>
        <Spans spans={spans} />
      </li>
    ));
    return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
  }
  return (
    <p>
      {block.lines.map((spans, i) => (
        <Fragment key={i}>
          {i > 0 && <br />}
          <Spans spans={spans} />
        </Fragment>
      ))}
    </p>
  );
}

function Spans({ spans }: { spans: readonly Span[] }) {
  return spans.map((span, i) => {
    switch (span.kind) {
      case "bold":
        return <strong key={i}>{span.text}</strong>;
      case "italic":
        return <em key={i}>{span.text}</em>;
      case "code":
        return <code key={i}>{span.text}</code>;
      case "link":
        return (
          <a key={i} href={span.href} target="_blank" rel="noreferrer" className="nodrag">
            {span.text}
          </a>
        );
      default:
        return <Fragment key={i}>{span.text}</Fragment>;
    }
  });
}

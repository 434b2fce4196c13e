import { beforeEach, describe, expect, it } from "vitest";
import { copySelection, cutSelection, duplicateSelection, moveNodes, nudgeSelection, pasteClip, tidy } from "../../../app/canvas/edits.ts";
import { addDot, addFrame, addNote, bypassSelection, paintSelection, setFurniture } from "../../../app/canvas/furnitureEdits.ts";
import { readNote } from "../../../app/canvas/noteText.ts";
import { openGraph, select, selectNodes, undo, useGraph } from "../../../app/canvas/useGraph.ts";
import { useStudio } from "../../../app/canvas/useStudio.ts";
import { createViewer } from "../../../app/canvas/view.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { insideOf } from "../../../core/graph/furniture.ts";
import { findTemplate } from "../../../core/templates/index.ts";

const lenet = findTemplate("lenet5")?.graph;
if (!lenet) throw new Error("There is a LeNet-5.");
const graph = () => useGraph.getState().graph;
const nodeOf = (id: string) => {
  const node = graph().nodes.find((other) => other.id === id);
  if (!node) throw new Error(`No ${id}.`);
  return node;
};

beforeEach(() => {
  openGraph("m1", lenet);
  useStudio.setState({ renaming: null });
});

describe("notes and frames on the canvas", () => {
  it("a frame is drawn around what is selected and takes it along, in one step of the history each", () => {
    selectNodes(["conv1", "relu1"]);
    addFrame();
    expect(useStudio.getState().renaming).toBe("frame_1");
    expect(insideOf(graph(), nodeOf("frame_1")).sort()).toEqual(["conv1", "relu1"]);
    const [before, at] = [nodeOf("conv1").at, nodeOf("frame_1").at];
    moveNodes(new Map([["frame_1", { x: at.x + 40, y: at.y + 8 }]]));
    expect(nodeOf("conv1").at).toEqual({ x: before.x + 40, y: before.y + 8 });
    nudgeSelection({ x: 8, y: 0 });
    expect(nodeOf("conv1").at).toEqual({ x: before.x + 48, y: before.y + 8 });
    undo();
    undo();
    expect(nodeOf("conv1").at).toEqual(before);
    undo();
    expect(graph()).toBe(lenet);
  });

  it("copying a frame copies what is in it", () => {
    selectNodes(["conv1", "relu1"]);
    addFrame();
    duplicateSelection();
    expect(graph().nodes.length).toBe(lenet.nodes.length + 1 + 3);
    expect(graph().edges.length).toBe(lenet.edges.length + 1);
    selectNodes(["frame_1"]);
    copySelection();
    pasteClip();
    expect(graph().nodes.length).toBe(lenet.nodes.length + 1 + 6);
    selectNodes(["frame_1"]);
    cutSelection();
    expect(graph().nodes.some(({ id }) => id === "conv1")).toBe(false);
  });

  it("a note is written, painted and drawn, and nothing of the model is drawn again", () => {
    const view = createViewer();
    const before = view(graph(), [], checkGraph(graph()));
    addNote();
    setFurniture("note_1", { text: "**why**" });
    paintSelection("pink");
    const after = view(graph(), [], checkGraph(graph()));
    expect(after.furniture).toEqual([expect.objectContaining({ id: "note_1", type: "note", text: "**why**", color: "pink" })]);
    expect(after.nodes.every((node, i) => node === before.nodes[i])).toBe(true);
  });

  it("frames follow when the drawing is tidied", async () => {
    selectNodes(["conv2", "relu2"]);
    addFrame();
    await tidy();
    expect(insideOf(graph(), nodeOf("frame_1"))).toEqual(expect.arrayContaining(["conv2", "relu2"]));
  });
});

describe("dots and bypasses", () => {
  it("a dot goes onto a wire and moves nothing", () => {
    const wire = lenet.edges.find(({ to }) => to.node === "relu1");
    addDot(wire?.id ?? "");
    expect(graph().nodes.filter(({ type }) => type !== "reroute")).toEqual(lenet.nodes);
    expect(
      graph()
        .edges.filter(({ from, to }) => from.node === "reroute_1" || to.node === "reroute_1")
        .map(({ from, to }) => `${from.node}>${to.node}`)
        .sort(),
    ).toEqual(["conv1>reroute_1", "reroute_1>relu1"]);
  });

  it("bypassing toggles all that can be, and says why where none can", () => {
    select({ nodes: new Set(["relu1", "conv1"]), edges: new Set() });
    bypassSelection();
    expect(["relu1", "conv1"].map((id) => nodeOf(id).bypass)).toEqual([true, true]);
    selectNodes(["relu1", "pool1"]);
    bypassSelection();
    expect(nodeOf("pool1").bypass).toBe(true);
    bypassSelection();
    expect(["relu1", "pool1", "conv1"].map((id) => nodeOf(id).bypass)).toEqual([undefined, undefined, true]);
    const now = graph();
    selectNodes(now.nodes.filter(({ type }) => type === "input").map(({ id }) => id));
    bypassSelection();
    expect(graph()).toBe(now);
  });
});

describe("the text of a note", () => {
  it("is read as headings, lists, spans and links", () => {
    expect(readNote("# Plan\n\nSee **this** and `x*y`\nor *that*.\n- one\n- two\n1. first\nhttps://a.b/c.")).toEqual([
      { kind: "heading", level: 1, spans: [{ kind: "text", text: "Plan" }] },
      {
        kind: "lines",
        lines: [
          [
            { kind: "text", text: "See " },
            { kind: "bold", text: "this" },
            { kind: "text", text: " and " },
            { kind: "code", text: "x*y" },
          ],
          [
            { kind: "text", text: "or " },
            { kind: "italic", text: "that" },
            { kind: "text", text: "." },
          ],
        ],
      },
      { kind: "list", ordered: false, items: [[{ kind: "text", text: "one" }], [{ kind: "text", text: "two" }]] },
      { kind: "list", ordered: true, items: [[{ kind: "text", text: "first" }]] },
      {
        kind: "lines",
        lines: [
          [
            { kind: "link", text: "https://a.b/c", href: "https://a.b/c" },
            { kind: "text", text: "." },
          ],
        ],
      },
    ]);
  });

  it("keeps what is no sign of ours, and links nothing but the web", () => {
    expect(readNote("2 * 3 * 4")).toEqual([{ kind: "lines", lines: [[{ kind: "text", text: "2 * 3 * 4" }]] }]);
    expect(readNote("[x](javascript:alert(1))")).toEqual([{ kind: "lines", lines: [[{ kind: "text", text: "[x](javascript:alert(1))" }]] }]);
    expect(readNote("[docs](https://x.org/a)")).toEqual([{ kind: "lines", lines: [[{ kind: "link", text: "docs", href: "https://x.org/a" }]] }]);
  });
});

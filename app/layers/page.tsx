import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { layers } from "../../core/layers/index.ts";
import { sections } from "../canvas/categories.ts";
import { curveLine } from "../canvas/help/LayerPicture.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { LayerIndex } from "./LayerIndex.tsx";

export const metadata: Metadata = { title: say("Layers"), description: say("Every layer of Tensorloom: what it does, why, and when to use it.") };

/** Every kind of node there is, by category, to be searched. */
export default function Page() {
  const entries = layers.map(({ type, title, category, doc, formula, keywords = [], curve }) => ({
    type,
    title,
    category,
    doc: doc.replaceAll("`", ""),
    words: [title, type, doc, formula ?? "", ...keywords].join(" ").toLowerCase(),
    line: curve ? curveLine(curve, { width: 64, height: 40 }) : null,
  }));
  return (
    <>
      <TopBar place={[{ label: say("Layers") }]} />
      <LayerIndex entries={entries} sections={sections} />
    </>
  );
}

import { tidyLayout } from "../../core/graph/layout.ts";
import type { Laid } from "./layOut.ts";

/** Lays drawings out beside the page, which goes on answering meanwhile. */
addEventListener("message", ({ data }: MessageEvent<Laid>) => postMessage({ order: data.order, places: tidyLayout(data, (node) => node) }));

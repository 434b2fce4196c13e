/**
 * What a frame costs the main thread while 1,000 nodes with 1,500 wires are panned, zoomed and dragged in the studio, beside React Flow's own stress
 * example of 450 plain nodes, in one browser and in turns. All nodes are in view. Then what opening and tidying them take.
 *
 *     npm run bench -- canvas [--only open] [--at http://localhost:3000]
 *
 * It takes the production build, and a server of its own unless `--at` names one.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, type CDPSession, chromium, type Page } from "@playwright/test";
import type { Edge, Graph, Node } from "../../core/graph/document.ts";
import { emptyGraph } from "../../core/graph/document.ts";
import { NODE_SIZE, tidyLayout } from "../../core/graph/layout.ts";
import { findChromium } from "../../server/setup.mjs";
import { packageText, plainPage } from "./plainPage.ts";

const ROUNDS = 3;
const OPENINGS = 5;
const STEPS = 40;
const NODES = 1_000;
const WIRES = 1_500;
const PORT = 3196;

const ACROSS = 25;
const placeOf = (i: number) => ({ x: (i % ACROSS) * 240, y: Math.floor(i / ACROSS) * 112 });

/** Rows of ReLUs and Adds: every second node takes two wires. */
function drawLarge(): Graph {
  const nodes: Node[] = [{ id: "input_1", type: "input", params: { shape: [64] }, at: { x: 0, y: -120 } }];
  const edges: Edge[] = [];
  const wire = (from: string, to: string, port: string) => edges.push({ id: `wire_${edges.length + 1}`, from: { node: from, port: "y" }, to: { node: to, port } });
  for (let i = 0; nodes.length < NODES; i++) {
    const at = placeOf(i);
    const above = (n: number) => (n < 0 ? "input_1" : `node_${n}`);
    const isAdd = i % 2 === 1 && edges.length + 2 <= WIRES;
    nodes.push({ id: `node_${i}`, type: isAdd ? "add" : "relu", params: {}, at });
    wire(above(i - ACROSS), `node_${i}`, isAdd ? "a" : "x");
    if (isAdd) wire(above(i < ACROSS ? -1 : i - ACROSS - 1), `node_${i}`, "b");
  }
  return { ...emptyGraph, nodes, edges };
}

/** React Flow's example "Stress" as its page has it, with the React and React Flow that the studio uses. */
function stockPage(): string {
  const script = `
    const { createRoot } = client, { ReactFlow, MiniMap, Controls, Background, useNodesState, useEdgesState } = flow;
    const nodes = [], edges = [];
    for (let y = 0; y < 30; y++) for (let x = 0; x < 15; x++) {
      const id = String(nodes.length + 1);
      nodes.push({ id, style: { width: 50, fontSize: 11 }, data: { label: "Node " + id }, position: { x: x * 100, y: y * 50 } });
      if (nodes.length > 1) edges.push({ id: x + "-" + y, source: String(nodes.length - 1), target: id });
    }
    function Stress() {
      const [n, , onNodesChange] = useNodesState(nodes), [e, , onEdgesChange] = useEdgesState(edges);
      return React.createElement(ReactFlow, { nodes: n, edges: e, onNodesChange, onEdgesChange, fitView: true, minZoom: 0, panOnDrag: [0, 1] }, React.createElement(MiniMap), React.createElement(Controls), React.createElement(Background));
    }
    createRoot(document.getElementById("root")).render(React.createElement(Stress));`;
  return plainPage({
    packages: { React: "react", client: "react-dom/client", flow: "@xyflow/react" },
    css: `${packageText("@xyflow/react/dist/style.css")} #root { width: 100vw; height: 100vh }`,
    script,
  });
}

/** Milliseconds that the main thread worked for each of `STEPS` frames, an idle page's own already taken off. */
async function costOf(page: Page, session: CDPSession, step: (i: number) => Promise<void>): Promise<number> {
  const frame = () => page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => done())));
  const worked = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
  };
  const idle = await worked();
  for (let i = 0; i < STEPS; i++) await frame();
  const before = await worked();
  for (let i = 0; i < STEPS; i++) {
    await step(i);
    await frame();
  }
  return Math.max(0, (await worked()) - before - (before - idle)) / STEPS;
}

/** A way of the pointer, there and back, so that everything stays in view. */
const sway = (i: number) => ({ x: 60 * Math.sin((i / STEPS) * 2 * Math.PI), y: 40 * Math.sin((i / STEPS) * 4 * Math.PI) });

/** Pans, zooms and drags the node in the middle. `middleOf` says where that is on the screen. */
async function measure(page: Page, middleOf: () => Promise<{ x: number; y: number }>): Promise<{ pan: number; zoom: number; drag: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const middle = { x: 700, y: 450 };
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down({ button: "middle" });
  const pan = await costOf(page, session, async (i) => page.mouse.move(middle.x + sway(i).x, middle.y + sway(i).y));
  await page.mouse.up({ button: "middle" });
  await page.mouse.move(middle.x, middle.y);
  const zoom = await costOf(page, session, async (i) => page.mouse.wheel(0, i < STEPS / 4 || i >= (3 * STEPS) / 4 ? -6 : 6));
  const at = await middleOf();
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  const drag = await costOf(page, session, async (i) => page.mouse.move(at.x + sway(i).x, at.y + sway(i).y));
  await page.mouse.up();
  await session.detach();
  return { pan, zoom, drag };
}

/** Where node 512 is on the screen of the studio, by its place in the document and the view. */
const ourMiddle = (page: Page) => async () => {
  const view = await page.locator(".react-flow__viewport").evaluate((element) => {
    const { a, e, f } = new DOMMatrix(getComputedStyle(element).transform);
    const { x, y } = element.closest(".react-flow")?.getBoundingClientRect() ?? { x: 0, y: 0 };
    return { zoom: a, x: x + e, y: y + f };
  });
  const { x, y } = await placeIn(page);
  return { x: view.x + (x + 92) * view.zoom, y: view.y + (y + 20) * view.zoom };
};

/** Its place in the document: a drag that came back leaves it on the grid. */
async function placeIn(page: Page): Promise<{ x: number; y: number }> {
  const moved = await page.locator('[data-id="node_512"]').evaluateAll(([element]) => (element instanceof HTMLElement ? new DOMMatrix(getComputedStyle(element).transform) : null));
  return moved ? { x: moved.e, y: moved.f } : placeOf(512);
}

const stockMiddle = (page: Page) => async () => {
  const box = await page.locator('[data-id="220"]').boundingBox();
  if (!box) throw new Error("The example's node is not in view.");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

async function makeModel(page: Page, base: string): Promise<string> {
  await page.goto(base);
  const post = async (procedure: string, data: unknown): Promise<{ id?: string }> => {
    const answer = await page.request.post(`${base}/api/trpc/${procedure}`, { data, headers: { "content-type": "application/json" } });
    if (!answer.ok()) throw new Error(`${procedure}: ${await answer.text()}`);
    const { result }: { result: { data: { id?: string } } } = await answer.json();
    return result.data;
  };
  const { id = "" } = await post("models.create", { name: "A thousand nodes" });
  await post("models.save", { modelId: id, revision: 1, graph: drawLarge() });
  return id;
}

/**
 * Milliseconds from a click on the model's name, as soon as the home page shows it or once that page has loaded all of its own, or from the address
 * being entered, until nodes are drawn, the search for layers can be typed into, and the frame with both has been shown.
 */
async function open(page: Page, base: string, path: string, way: "home" | "home at rest" | "address"): Promise<number> {
  await page.goto("about:blank");
  await page.goto(way === "address" ? `${base}${path}` : `${base}/`, { waitUntil: "commit" });
  if (way !== "address") await page.locator(`a[href="${path}"]`).first().waitFor();
  if (way === "home at rest") await page.waitForLoadState("networkidle");
  return page.evaluate(
    (target) => {
      const start = target === null ? 0 : performance.now();
      if (target !== null) document.querySelector<HTMLElement>(`a[href="${target}"]`)?.click();
      return new Promise<number>((done) => {
        const look = () => {
          if (document.querySelector(".react-flow__node") && document.querySelector("#palette-search")?.checkVisibility())
            requestAnimationFrame(() => done(performance.now() - start));
          else requestAnimationFrame(look);
        };
        look();
      });
    },
    way === "address" ? null : path,
  );
}

async function run(browser: Browser, base: string): Promise<void> {
  const size = { width: 1440, height: 900 };
  const stock = await browser.newPage({ viewport: size });
  await stock.setContent(stockPage());
  await stock.locator(".react-flow__node").nth(449).waitFor();
  const ours = await browser.newPage({ viewport: size });
  const id = await makeModel(ours, base);
  // The first visit brings the scripts.
  await ours.goto(`${base}/models/${id}`);
  await ours.locator(".react-flow__node").first().waitFor();
  for (const way of ["home", "home at rest", "address"] as const) {
    const opened: number[] = [];
    for (let i = 0; i < OPENINGS; i++) opened.push(await open(ours, base, `/models/${id}`, way));
    console.log(`open, ${way}: ${median(opened).toFixed(0)} ms (${opened.map((ms) => ms.toFixed(0)).join(", ")}) until its nodes are drawn and the panels beside them take keys`);
  }
  if (flags.only === "open") return;
  await ours.keyboard.press("b");
  await ours.keyboard.press("f");
  await ours.locator(`canvas[data-painted="${NODES}"]`).waitFor();

  const rounds: { stock: Awaited<ReturnType<typeof measure>>; ours: Awaited<ReturnType<typeof measure>> }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    // Only the page in front draws.
    await stock.bringToFront();
    const one = await measure(stock, stockMiddle(stock));
    await ours.bringToFront();
    rounds.push({ stock: one, ours: await measure(ours, ourMiddle(ours)) });
    console.log(`  round ${i + 1} of ${ROUNDS}`);
  }
  console.log(`main thread per frame, ${NODES} nodes and ${WIRES} wires here, 450 and 449 in the example; medians of ${ROUNDS} rounds of ${STEPS} frames`);
  for (const what of ["pan", "zoom", "drag"] as const) {
    const [a, b] = [median(rounds.map(({ ours: one }) => one[what])), median(rounds.map(({ stock: one }) => one[what]))];
    console.log(`  ${what.padEnd(5)} studio ${a.toFixed(1)} ms, example ${b.toFixed(1)} ms, ${(a / b).toFixed(2)}×`);
  }

  const tidied = await ours.evaluate(async () => {
    let longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: "longtask" });
    const place = () => document.querySelector<HTMLElement>('[data-id="node_512"]')?.style.transform;
    const before = place();
    const start = performance.now();
    document.querySelector<HTMLElement>('button[aria-label="Tidy up"]')?.click();
    const ms = await new Promise<number>((done) => {
      const look = () => (place() !== before ? done(performance.now() - start) : requestAnimationFrame(look));
      look();
    });
    await new Promise((done) => setTimeout(done, 1000));
    return { ms, longest };
  });
  const drawn = drawLarge();
  const alone = Array.from({ length: 5 }, () => {
    const start = performance.now();
    tidyLayout(drawn, () => NODE_SIZE);
    return performance.now() - start;
  });
  console.log(
    `tidy: ${median(alone).toFixed(0)} ms for the places alone, in a worker; nodes move ${tidied.ms.toFixed(0)} ms after the click; longest task of the main thread ${tidied.longest.toFixed(0)} ms`,
  );
}

const { values: flags } = parseArgs({ options: { at: { type: "string" }, only: { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "tensorloom-canvas-"));
const server = flags.at
  ? null
  : spawn(process.execPath, ["server/start.ts"], { cwd: join(import.meta.dirname, "../.."), env: { ...process.env, DATA_DIR: folder, PORT: String(PORT) }, stdio: "ignore" });
const base = flags.at ?? `http://127.0.0.1:${PORT}`;
const browser = await chromium.launch({ executablePath: findChromium() ?? undefined, args: ["--no-sandbox", "--disable-gpu"] });
try {
  for (let waited = 0; ; waited++) {
    if ((await fetch(`${base}/healthz`).catch(() => null))?.ok) break;
    if (waited > 120) throw new Error(`Nothing answers at ${base}.`);
    await new Promise((done) => setTimeout(done, 1000));
  }
  await run(browser, base);
} finally {
  await browser.close();
  if (server) {
    server.kill("SIGTERM");
    await new Promise((done) => server.once("exit", done));
  }
  rmSync(folder, { recursive: true, force: true });
}

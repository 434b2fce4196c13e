/**
 * What a frame costs the main thread while 1,000 nodes with 1,500 wires are panned, zoomed and dragged in the studio, beside React Flow's own stress
 * example of 450 plain nodes, in one browser and in turns. All nodes are in view. Then what opening and tidying them take.
 *
 *     npm run bench -- canvas [--at http://localhost:3000]
 *
 * It takes the production build, and a server of its own unless `--at` names one.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, type CDPSession, chromium, type Page } from "@playwright/test";
import type { Edge, Graph, Node } from "../../core/graph/document.ts";
import { emptyGraph } from "../../core/graph/document.ts";
import { findChromium } from "../../server/setup.mjs";

const ROUNDS = 3;
const STEPS = 60;
const NODES = 1_000;
const WIRES = 1_500;
const PORT = 3196;

/** Rows of ReLUs and Adds: every second node takes two wires. */
function drawLarge(): Graph {
  const nodes: Node[] = [{ id: "input_1", type: "input", params: { shape: [64] }, at: { x: 0, y: -120 } }];
  const edges: Edge[] = [];
  const across = 25;
  const wire = (from: string, to: string, port: string) => edges.push({ id: `wire_${edges.length + 1}`, from: { node: from, port: "y" }, to: { node: to, port } });
  for (let i = 0; nodes.length < NODES; i++) {
    const at = { x: (i % across) * 240, y: Math.floor(i / across) * 112 };
    const above = (n: number) => (n < 0 ? "input_1" : `node_${n}`);
    const isAdd = i % 2 === 1 && edges.length + 2 <= WIRES;
    nodes.push({ id: `node_${i}`, type: isAdd ? "add" : "relu", params: {}, at });
    wire(above(i - across), `node_${i}`, isAdd ? "a" : "x");
    if (isAdd) wire(above(i < across ? -1 : i - across - 1), `node_${i}`, "b");
  }
  return { ...emptyGraph, nodes, edges };
}

/** React Flow's example "Stress" as its page has it, with the React and React Flow that the studio uses. */
function stockPage(): string {
  const require = createRequire(import.meta.url);
  const modules = new Map<string, string>();
  const take = (name: string, from: string): string => {
    const path = name === "@xyflow/react" ? join(dirname(createRequire(from).resolve("@xyflow/react/package.json")), "dist/umd/index.js") : createRequire(from).resolve(name);
    if (modules.has(path)) return path;
    modules.set(path, "");
    const text = readFileSync(path, "utf8").replaceAll("process.env.NODE_ENV", '"production"');
    modules.set(
      path,
      text.replaceAll(/require\((["'])([^"']+)\1\)/g, (_, __, inner: string) =>
        // Their production halves are asked for, never the others.
        inner.includes("development") ? "{}" : `require(${JSON.stringify(take(inner, path))})`,
      ),
    );
    return path;
  };
  const here = import.meta.filename;
  const [react, client, flow] = ["react", "react-dom/client", "@xyflow/react"].map((name) => take(name, here));
  const css = readFileSync(require.resolve("@xyflow/react/dist/style.css"), "utf8");
  const script = `
    const sources = {${[...modules].map(([path, text]) => `${JSON.stringify(path)}: function (module, exports, require) {${text}\n}`).join(",\n")}};
    const made = {};
    function require(path) { if (!made[path]) { const module = (made[path] = { exports: {} }); sources[path].call(module.exports, module, module.exports, require); } return made[path].exports; }
    const React = require(${JSON.stringify(react)}), { createRoot } = require(${JSON.stringify(client)}), { ReactFlow, MiniMap, Controls, Background, useNodesState, useEdgesState } = require(${JSON.stringify(flow)});
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
  return `<!doctype html><style>${css} body { margin: 0 } #root { width: 100vw; height: 100vh }</style><div id="root"></div><script>${script.replaceAll("</script", "<\\/script")}</script>`;
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

async function measure(page: Page, node: string): Promise<{ pan: number; zoom: number; drag: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const middle = { x: 700, y: 450 };
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down({ button: "middle" });
  const pan = await costOf(page, session, async (i) => page.mouse.move(middle.x + sway(i).x, middle.y + sway(i).y));
  await page.mouse.up({ button: "middle" });
  await page.mouse.move(middle.x, middle.y);
  const zoom = await costOf(page, session, async (i) => page.mouse.wheel(0, i < STEPS / 4 || i >= (3 * STEPS) / 4 ? -6 : 6));
  const box = await page.locator(node).boundingBox();
  if (!box) throw new Error(`${node} is not in view.`);
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  const drag = await costOf(page, session, async (i) => page.mouse.move(at.x + sway(i).x, at.y + sway(i).y));
  await page.mouse.up();
  await session.detach();
  return { pan, zoom, drag };
}

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
  const opened: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await ours.goto(`${base}/`);
    await ours.getByRole("link", { name: "A thousand nodes" }).first().waitFor();
    opened.push(
      await ours.evaluate((path) => {
        const start = performance.now();
        [...document.querySelectorAll("a")].find((link) => link.getAttribute("href") === path)?.click();
        return new Promise<number>((done) => {
          const look = () => (document.querySelector(".react-flow__node") ? requestAnimationFrame(() => done(performance.now() - start)) : requestAnimationFrame(look));
          look();
        });
      }, `/models/${id}`),
    );
  }
  await ours.keyboard.press("b");
  await ours.keyboard.press("f");
  await ours.waitForFunction((count) => document.querySelectorAll(".react-flow__node").length === count, NODES);

  const rounds: { stock: Awaited<ReturnType<typeof measure>>; ours: Awaited<ReturnType<typeof measure>> }[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push({ stock: await measure(stock, '[data-id="220"]'), ours: await measure(ours, '[data-id="node_512"]') });
  console.log(`main thread per frame, ${NODES} nodes and ${WIRES} wires here, 450 and 449 in the example; medians of ${ROUNDS} rounds of ${STEPS} frames`);
  for (const what of ["pan", "zoom", "drag"] as const) {
    const [a, b] = [median(rounds.map(({ ours: one }) => one[what])), median(rounds.map(({ stock: one }) => one[what]))];
    console.log(`  ${what.padEnd(5)} studio ${a.toFixed(1)} ms, example ${b.toFixed(1)} ms, ${(a / b).toFixed(2)}×`);
  }
  console.log(`open: ${median(opened).toFixed(0)} ms from a click on the model to its drawing`);

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
  console.log(`tidy: nodes move ${tidied.ms.toFixed(0)} ms after the click; longest task of the main thread ${tidied.longest.toFixed(0)} ms`);
}

const { values: flags } = parseArgs({ options: { at: { type: "string" } } });
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

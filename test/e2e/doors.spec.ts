import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { expect, type Page, test } from "@playwright/test";
import { exportOnnx, ONNX_OPSET } from "../../core/export/onnx.ts";
import { encodeOnnx } from "../../core/export/onnx-proto.ts";
import { readSafetensors, writeSafetensors } from "../../core/export/safetensors.ts";
import type { Tensor } from "../../core/export/tensor.ts";
import { readNpz } from "../../core/import/npz.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { node, saved, startFrom } from "./studio.ts";

const lenet = findTemplate("lenet5")?.graph;
if (!lenet) throw new Error("There is a LeNet-5.");

/** Weights for LeNet-5 that no random start would give. */
function lenetWeights(): Map<string, Tensor> {
  return new Map(
    lowerModel(lenet ?? { schemaVersion: 1, nodes: [], edges: [] }).weights.map(({ name, shape }) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i) / 10);
      return [name, { dtype: "float32", shape, data }];
    }),
  );
}

async function openImport(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Import", exact: true }).click();
}

const CODE = `import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.flatten(x, 1)
        x = x.frobnicate()
        return self.fc2(torch.relu(self.fc1(x)))
`;

test("PyTorch code becomes a model, or a list of the lines that stand in the way", async ({ page }) => {
  await openImport(page);
  const dialog = page.getByRole("dialog", { name: "Import a model" });
  await dialog.getByRole("radio", { name: "PyTorch code" }).click();
  await dialog.getByLabel("PyTorch code").fill(CODE);
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  const refused = dialog.getByRole("alert", { name: "Not imported" });
  await expect(refused.getByRole("row").filter({ hasText: "x.frobnicate()" })).toContainText("12");
  await refused.getByRole("button", { name: "12" }).click();
  expect(await dialog.getByLabel("PyTorch code").evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))).toContain("frobnicate");

  await dialog.getByLabel("PyTorch code").fill(CODE.replace("        x = x.frobnicate()\n", ""));
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  const open = dialog.getByRole("button", { name: "Open the model" });
  await Promise.race([open.click().catch(() => {}), page.waitForURL(/\/models\//)]);
  await page.waitForURL(/\/models\//);
  await expect(page.getByText("50,890").first(), "784 · 64 + 64 + 64 · 10 + 10 parameters").toBeVisible();
});

test("an ONNX file becomes a model with its weights, or a list of what is not supported", async ({ page }) => {
  const dialog = page.getByRole("dialog", { name: "Import a model" });
  const strange = encodeOnnx({
    irVersion: 10,
    opset: ONNX_OPSET,
    producer: "test",
    producerVersion: "1",
    doc: "",
    metadata: {},
    graph: {
      name: "g",
      nodes: [
        { name: "odd", op: "StringNormalizer", inputs: ["x"], outputs: ["h"], attributes: [] },
        { name: "odder", op: "Bernoulli", inputs: ["h"], outputs: ["y"], attributes: [] },
      ],
      initializers: [],
      inputs: [{ name: "x", dtype: "float32", shape: ["B", 3] }],
      outputs: [{ name: "y", dtype: "float32", shape: ["B", 3] }],
    },
  });
  await openImport(page);
  await dialog.getByLabel("ONNX file").setInputFiles({ name: "odd.onnx", mimeType: "application/octet-stream", buffer: Buffer.from(strange) });
  const refused = dialog.getByRole("alert", { name: "Not imported" });
  await expect(refused.getByRole("row").filter({ hasText: "StringNormalizer" })).toContainText("odd");
  await expect(refused.getByRole("row").filter({ hasText: "Bernoulli" })).toBeVisible();

  await dialog.getByLabel("ONNX file").setInputFiles({ name: "no.onnx", mimeType: "application/octet-stream", buffer: Buffer.from("not a model") });
  await expect(dialog.getByRole("alert")).toBeVisible();
  await expect(refused.getByRole("row")).toHaveCount(0);

  if (!lenet) return;
  await dialog.getByLabel("ONNX file").setInputFiles({ name: "digits.onnx", mimeType: "application/octet-stream", buffer: Buffer.from(exportOnnx(lenet, lenetWeights())) });
  const open = dialog.getByRole("button", { name: "Open the model" });
  await Promise.race([open.click().catch(() => {}), page.waitForURL(/\/models\//)]);
  await page.waitForURL(/\/models\//);
  await expect(node(page, "conv1")).toBeVisible();
  await expect(page.getByRole("region", { name: "First weights" })).toContainText("digits.onnx: 10 of 10 weights");
  const graph = await saved(page, page.url().split("/").at(-1) ?? "");
  expect(graph.nodes.map(({ id, type }) => `${id} ${type}`)).toEqual(lenet.nodes.map(({ id, type }) => `${id} ${type}`));
});

test("weights come in by name, what did not match is listed, and pickles stay shut", async ({ page }) => {
  await startFrom(page, "LeNet-5");
  const section = page.getByRole("region", { name: "First weights" });
  await section.getByRole("button", { name: "Import weights" }).click();
  const dialog = page.getByRole("dialog", { name: "Import weights" });
  const field = dialog.getByLabel("Weights file");

  await field.setInputFiles({ name: "lenet.pt", mimeType: "application/octet-stream", buffer: Buffer.from([0x80, 2, 0x2e]) });
  await expect(dialog.getByRole("alert")).toContainText("torch.load(sys.argv[1], map_location='cpu', weights_only=True)");
  // Its bytes tell it too, whatever it is called.
  await field.setInputFiles({ name: "lenet.npz", mimeType: "application/octet-stream", buffer: Buffer.from([0x80, 2, 0x2e]) });
  await expect(dialog.getByRole("alert")).toContainText("pickled");

  const weights = lenetWeights();
  const [first = ""] = weights.keys();
  weights.set(first, { dtype: "float32", shape: [2], data: new Float32Array(2) });
  weights.set("head.extra", { dtype: "float32", shape: [3], data: new Float32Array(3) });
  await field.setInputFiles({ name: "lenet.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from(writeSafetensors(weights)) });
  await expect(dialog.getByRole("status")).toContainText("9 of 10 weights matched");
  await expect(dialog.getByRole("table", { name: "Weights" }).getByRole("row").filter({ hasText: first })).toContainText("other shape");
  await dialog.getByRole("radio", { name: /Only in the file/ }).click();
  await expect(dialog.getByRole("table", { name: "Weights" })).toContainText("head.extra");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(section).toContainText("lenet.safetensors: 9 of 10 weights");
  await section.getByRole("button", { name: "Start at random again" }).click();
  await expect(section).toContainText("Drawn at random");
});

test("a finished run gives the same weights as safetensors and as npz", async ({ page }) => {
  await startFrom(page, "Logistic regression");
  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  await page.getByRole("link", { name: "Ship" }).click();
  const take = async (start: () => Promise<void>) => {
    const [download] = await Promise.all([page.waitForEvent("download"), start()]);
    return new Uint8Array(readFileSync(await download.path()));
  };
  await expect(page.getByRole("link", { name: "Download safetensors" })).toBeVisible({ timeout: 60_000 });
  const safetensors = readSafetensors(await take(() => page.getByRole("link", { name: "Download safetensors" }).click())).tensors;
  const npz = readNpz(await take(() => page.getByRole("button", { name: "Download npz" }).click()), (packed) => inflateRawSync(packed));
  expect([...npz.keys()].sort()).toEqual([...safetensors.keys()].sort());
  for (const [name, { shape, data }] of safetensors) expect(npz.get(name), name).toMatchObject({ shape, data });

  const keras = new TextDecoder().decode(await take(() => page.getByRole("button", { name: "Download Keras script" }).click()));
  expect(keras).toContain("keras.Model(");
  // The numbers that scale the data stand in the script itself.
  for (const name of ["fc.weight", "fc.bias"]) expect(keras).toContain(`w["${name}"]`);
});

test("the code of a model is there in PyTorch, and in Keras where Keras can say it", async ({ page }) => {
  await startFrom(page, "Adaptive computation time");
  await page.getByRole("tab", { name: "Code" }).click();
  const panel = page.getByRole("tabpanel", { name: "Code" });
  await expect(panel).toContainText("class AdaptiveComputationTime(nn.Module):");
  await panel.getByRole("radio", { name: "Keras" }).click();
  await expect(panel.getByRole("region", { name: "Not in Keras" })).toContainText("While");
  await expect(panel.getByRole("button", { name: "Download" })).toBeDisabled();
});

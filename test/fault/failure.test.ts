import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import type { Body } from "../../core/graph/document.ts";
import { startBody } from "../../core/layers/kit.ts";
import { chain } from "../../core/templates/sketch.ts";
import { cancelRun } from "../../server/runs/change.ts";
import { kill, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({ STUCK_AFTER_MS: "8000", LEASE_MS: "4000" });
  world.startAgent();
});
afterAll(() => world?.close());

describe("a run that goes wrong by itself", () => {
  it("59: with a learning rate of a million stops at the step whose numbers are not finite, and names the node", async () => {
    const id = await world.queueRun({ epochs: 50, optimizer: "SGD", schedule: "constant", lr: 1e6 });
    const run = await world.untilEnded(id);
    expect(run.status).toBe("failed");
    expect(run.failure).toMatchObject({ code: "RUN_NONFINITE", node: expect.stringMatching(/\w/), step: expect.any(Number) });
    const { step } = run.failure as { step: number };
    // Points of the steps before it are all there.
    const { "train/loss": loss } = await world.series(id);
    expect(loss?.steps.at(-1)).toBeGreaterThanOrEqual(step - 1);
  });

  it("59: keeps its last good checkpoint where its numbers leave what is finite on the way", async () => {
    // A weight that each step halves comes to 0 after some 150 of them, and its logarithm is there to see it.
    const fading = chain([
      ["x", "input", { shape: [9] }],
      ["scores", "linear", { out_features: 3 }],
      ["sum", "expression", { expression: "a + 0 * log(b)" }],
      ["y", "output"],
    ]);
    const weight = { id: "weight", type: "parameter", params: { shape: [1], init: "ones" }, at: { x: 0, y: 0 } };
    const graph = {
      ...fading,
      nodes: [...fading.nodes, weight],
      edges: [
        ...fading.edges.map((edge) => (edge.to.node === "sum" ? { ...edge, to: { node: "sum", port: "a" } } : edge)),
        { id: "fades", from: { node: "weight", port: "y" }, to: { node: "sum", port: "b" } },
      ],
    };
    const id = await world.queueRun({ epochs: 1_000, optimizer: "SGD", schedule: "constant", lr: 0.1, weightDecay: 5 }, graph);
    const { status, failure } = await world.untilEnded(id);
    expect([status, failure]).toEqual(["failed", expect.objectContaining({ code: "RUN_NONFINITE", node: expect.any(String), step: expect.any(Number) })]);
    const kept = await world.db.checkpoint.findFirstOrThrow({ where: { runId: id }, orderBy: { step: "desc" } });
    expect(kept.step).toBeLessThan((failure as { step: number }).step);
    const { tensors } = readSafetensors(await world.files.read(kept.storageKey), { only: (name) => /^(scores|weight)/.test(name) });
    expect([...tensors].flatMap(([, { data }]) => Array.from(data, Number)).every(Number.isFinite)).toBe(true);
    expect(tensors.size).toBe(3);
  });

  it("that makes no step is stopped and says so, also where the engine cannot be", async () => {
    // Nine hundred thousand turns of sixteen layers before the first weight: one step that takes long.
    const slow = startBody(...Array.from({ length: 16 }, () => ({ type: "tanh" })));
    const round = (body: Body): Body => ({ ...body, nodes: body.nodes.map((node) => (node.type === "repeat" ? { ...node, bodies: { body: slow } } : node)) });
    const endless = chain([
      ["input", "input", { shape: [9] }],
      ["loop", "repeat", { times: 90 }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]);
    const inner = round(startBody({ type: "repeat", params: { times: 10_000 } }));
    const graph = { ...endless, nodes: endless.nodes.map((node) => (node.id === "loop" ? { ...node, bodies: { body: inner } } : node)) };
    const id = await world.queueRun({ epochs: 1 }, graph);
    const run = await world.untilEnded(id);
    expect(run).toMatchObject({ status: "failed", failure: { code: "NO_PROGRESS", message: expect.stringContaining("not one step") } });
  });

  it("that stood still with its whole machine for longer than it may be stuck goes on, with the lease that it had", async () => {
    const id = await world.queueRun({ epochs: 10_000, schedule: "constant" });
    const { step } = await world.untilRun(id, "under way", (run) => run.step > 0);
    const trainer = await world.trainerOf(id);
    // As a container that is paused: nobody renews the lease, and nobody else is there to take it.
    for (const pid of [world.agent.pid, trainer]) kill(pid, "SIGSTOP");
    await world.untilRun(id, "without a lease", ({ leaseUntil }) => leaseUntil !== null && leaseUntil.getTime() < Date.now() - 2_000);
    for (const pid of [world.agent.pid, trainer]) kill(pid, "SIGCONT");
    const run = await world.untilRun(
      id,
      "going on, with its lease renewed",
      ({ step: at, leaseUntil }) => at > step + 100 && leaseUntil !== null && leaseUntil.getTime() > Date.now() + 1_000,
    );
    expect(run).toMatchObject({ leaseToken: 1, failure: null });
    await cancelRun(world.db, world.orgId, id);
    expect((await world.untilEnded(id)).status).toBe("cancelled");
  });

  it("55: whose While never ends takes all its turns, and fails with LOOP_LIMIT at that node", async () => {
    const drawn = chain([
      ["input", "input", { shape: [9] }],
      ["fc", "linear", { out_features: 9 }],
      ["loop", "while", { max_iterations: 7, at_limit: "fail" }],
      ["scores", "linear", { out_features: 3 }],
      ["output", "output"],
    ]);
    const bodies = { condition: startBody({ type: "mean", params: { dim: [] } }, { type: "greater", params: { value: -2 } }), body: startBody({ type: "tanh" }) };
    const graph = { ...drawn, nodes: drawn.nodes.map((node) => (node.id === "loop" ? { ...node, bodies } : node)) };
    const id = await world.queueRun({ epochs: 1 }, graph);
    const run = await world.untilEnded(id);
    expect(run).toMatchObject({ status: "failed", failure: { code: "LOOP_LIMIT", node: "loop", message: expect.stringContaining("after 7 turns") } });
  });

  it("54: of a model without weights that learn is no run: it is refused with what is missing", async () => {
    const idle = chain([
      ["input", "input", { shape: [9] }],
      ["norm", "layer_norm", { elementwise_affine: false }],
      ["first", "slice", { slice: "[:, 0:3]" }],
      ["output", "output"],
    ]);
    await expect(world.queueRun({ epochs: 1 }, idle)).rejects.toMatchObject({
      code: "GRAPH_INVALID",
      details: { problems: [{ code: "GRAPH_INCOMPLETE", node: "output", message: "The model has no weights that learn, so there is nothing to train." }] },
    });
    expect(await world.db.run.count({ where: { status: "queued" } })).toBe(0);
  });

  it("whose data set's files are gone fails in words, and takes nothing else along", async () => {
    const id = await world.queueRun({ epochs: 200, schedule: "constant" });
    await world.untilRun(id, "stepping", (run) => run.step > 0);
    await world.files.removeFolder(`datasets/${world.datasetId}`);
    const other = await world.queueRun({ epochs: 2 });
    const failed = await world.untilEnded(other);
    expect(failed).toMatchObject({ status: "failed", failure: { code: "DATA_MISMATCH" } });
    expect((await world.untilEnded(id)).status).toBe("finished");
  });
});
afterEach(async () => expect(await world.audit()).toEqual([]));

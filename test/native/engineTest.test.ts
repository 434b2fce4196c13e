import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes } from "../../core/export/tensor.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { buildEngine } from "../../native/build.mjs";
import { findLibtorch } from "../../native/libtorch.mjs";
import { allowed } from "../allowed.ts";
import { contenders } from "../bench/networks.ts";
import { networks } from "./networks.ts";
import { randomNumbers, specOf, temporaryFolder, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const libtorch = findLibtorch() ?? undefined;
let engineTest = "";
beforeAll(async () => {
  engineTest = (await buildEngine({ libtorch })).engineTest;
}, 600_000);

function runEngineTest(file: string, args: string[], env: { [name: string]: string } = {}) {
  const { status, signal, stdout, stderr } = spawnSync(file, args, { encoding: "utf8", env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 });
  return { status, signal, output: `${stdout}\n${stderr}` };
}

describe("engine_test, the engine without Node", () => {
  it("passes its own checks", () => {
    const { status, output } = runEngineTest(engineTest, ["--self-check"]);
    expect(output).not.toContain("FAILED");
    expect(status).toBe(0);
  }, 120_000);

  it.each([1, 2])(
    "survives damaged programs (seed %i)",
    (seed) => {
      const { status, signal, output } = runEngineTest(engineTest, ["fuzz", "600", String(seed)]);
      expect(signal).toBeNull();
      expect(output).toContain("no crash");
      expect(status).toBe(0);
    },
    240_000,
  );

  it("killed at a random moment leaves whole checkpoints, and the last one resumes to the same end", async () => {
    const [, cnn] = networks;
    if (!cnn) throw new Error("There is a CNN.");
    const rows = writeRows(folder.path, "kill", cnn, 160, 4);
    const spec = (checkpoints: string, settings: Partial<TrainSpec>): string => {
      mkdirSync(join(folder.path, checkpoints), { recursive: true });
      const file = join(folder.path, `${checkpoints}.json`);
      writeFileSync(file, JSON.stringify(specOf(cnn, { train: rows }, { epochs: 40, checkpoint: { folder: join(folder.path, checkpoints), everyMs: 1 }, ...settings })));
      return file;
    };
    const steps = (checkpoints: string) =>
      readdirSync(join(folder.path, checkpoints))
        .flatMap((name) => (/^step-\d+\.safetensors$/.test(name) ? [Number(name.slice(5, -12))] : []))
        .sort((a, b) => a - b);

    const child = spawn(engineTest, ["train", spec("killed", {})], { stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise((done) => child.on("close", done));
    await new Promise((first) => child.stdout.once("data", first));
    await sleep(50 + randomNumbers(Date.now())() * 300);
    child.kill("SIGKILL");
    await ended;
    const last = steps("killed").at(-1);
    if (last === undefined) throw new Error("The run was killed before its first checkpoint.");

    const resumeFrom = join(folder.path, "killed", `step-${last}.safetensors`);
    expect(runEngineTest(engineTest, ["train", spec("resumed", { resumeFrom })]).status).toBe(0);
    expect(runEngineTest(engineTest, ["train", spec("whole", {})]).status).toBe(0);
    const state = (checkpoints: string) => {
      const { tensors } = readSafetensors(readFileSync(join(folder.path, checkpoints, "step-400.safetensors")));
      return [...tensors].map(([name, tensor]) => [name, Buffer.from(tensorBytes(tensor)).toString("base64")]);
    };
    expect(state(last === 400 ? "killed" : "resumed")).toEqual(state("whole"));
  }, 120_000);
});

describe("under AddressSanitizer and UndefinedBehaviorSanitizer", () => {
  let sanitized = "";
  const limit = allowed(600_000);
  beforeAll(async () => {
    sanitized = (await buildEngine({ libtorch, targets: ["engine_test"], sanitize: true })).engineTest;
  }, limit);
  // libtorch is not instrumented: what it allocates and frees across its own libraries must not count.
  const env = { ASAN_OPTIONS: "detect_leaks=0:detect_odr_violation=0:alloc_dealloc_mismatch=0:allocator_may_return_null=1", UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1" };

  it(
    "engine_test passes its own checks",
    () => {
      const { status, output } = runEngineTest(sanitized, ["--self-check"], env);
      expect(output).not.toMatch(/FAILED|Sanitizer|runtime error/);
      expect(status).toBe(0);
    },
    limit,
  );

  it(
    "engine_test survives damaged programs",
    () => {
      const { status, output } = runEngineTest(sanitized, ["fuzz", "200", "3"], env);
      expect(output).not.toMatch(/Sanitizer|runtime error/);
      expect(status).toBe(0);
    },
    limit,
  );
});

describe("the specs for machines with a GPU", () => {
  const specs = new URL("../../native/src/test/specs/", import.meta.url);
  const split = (shape: string) => ({ arrays: { x: { file: `${shape}.npy` }, target: { file: "target.npy" } }, rows: 1 });
  const fresh = [
    ...networks.map((network) => [network.name, specOf(network, { train: split("x") }, { shuffle: false })] as const),
    ...contenders
      .filter(({ data }) => data === "digits")
      .map(({ name, graph, batchSize }) => [name, specOf({ graph }, { train: split("x") }, { shuffle: false, batchSize, threads: 0 })] as const),
  ].map(([name, spec]): [string, TrainSpec] => [`${name.toLowerCase().replaceAll(" ", "-")}.json`, renameInput(spec)]);

  /** One name for every network's input, so that one set of files serves them all. */
  function renameInput(spec: TrainSpec): TrainSpec {
    return { ...spec, program: { ...spec.program, inputs: spec.program.inputs.map((input) => (input.name === "target" ? input : { ...input, name: "x" })) } };
  }

  it("say what core lowers to now (UPDATE_SPECS=1 writes them anew)", () => {
    if (process.env.UPDATE_SPECS) {
      mkdirSync(specs, { recursive: true });
      for (const [name, spec] of fresh) writeFileSync(new URL(name, specs), `${JSON.stringify(spec)}\n`);
    }
    expect(readdirSync(specs).sort()).toEqual(fresh.map(([name]) => name).sort());
    for (const [name, spec] of fresh) expect(TrainSpec.parse(JSON.parse(readFileSync(new URL(name, specs), "utf8")))).toEqual(spec);
  });

  it("run without Node", () => {
    const { status, output } = runEngineTest(engineTest, ["check", "/dev/null"]);
    expect(status).toBe(1);
    expect(output).toContain("PROGRAM_INVALID");
  });
});

// Brings a bare machine to the point where the product runs. Plain JavaScript for any Node ≥ 20: nothing is installed yet when it starts.
// Every step names its inputs; while they have not changed it is skipped.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findLibtorch, installLibtorch } from "../native/libtorch.mjs";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const stamps = join(root, "node_modules/.tensorloom");
const binaries = join(root, "node_modules/.bin");

/** What a step needs that is not there at all: never skipped. */
const ABSENT = "absent";

const NODE_FLOOR = [22, 18];
/** What is brought where the system's Node is older. */
const NODE_PACKAGE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}@24.21.0`;

/** A reason to stop that a person can act on: one sentence, no stack. */
export class SetupError extends Error {}

/**
 * Runs the steps in order and prints one line for each.
 * @param {Step[]} steps
 * @typedef {{ name: string; needed: () => string | false | Promise<string | false>; run: () => unknown }} Step
 *   `needed` gives a fingerprint of the step's inputs, or false where there is nothing to do.
 */
export async function runSteps(steps) {
  const started = Date.now();
  for (const [index, step] of steps.entries()) {
    const label = `[${index + 1}/${steps.length}] ${step.name}`;
    const fingerprint = await step.needed();
    const stamp = join(stamps, step.name.replace(/\W+/g, "-").toLowerCase());
    if (fingerprint === false || (fingerprint !== ABSENT && existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint)) {
      console.log(`${label}: up to date`);
      continue;
    }
    const stepStarted = Date.now();
    console.log(`${label} ...`);
    await step.run();
    mkdirSync(stamps, { recursive: true });
    // Asked again: some inputs are made by the step itself.
    writeFileSync(stamp, (await step.needed()) || fingerprint);
    console.log(`${label}: done in ${seconds(stepStarted)}`);
  }
  console.log(`Set-up finished in ${seconds(started)}.`);
}

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** SHA-256 over the paths and contents of files; folders are walked, `skip` names are left out. */
export function fingerprint(paths, skip = []) {
  const hash = createHash("sha256");
  const visit = (path) => {
    if (!existsSync(path) || skip.some((name) => path.endsWith(`/${name}`))) return;
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(relative(root, path)).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const path of paths) visit(resolve(root, path));
  return hash.digest("hex");
}

/** The environment of everything we start: our Node and our packages' commands first. */
export const environment = () => ({ ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}`, NEXT_TELEMETRY_DISABLED: "1" });

/** Runs a command to its end. Output is shown only if it fails, unless `show`. Rejects with `sentence`. */
export function command(program, args, { sentence, env = {}, show = false } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, env: { ...environment(), ...env }, stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"] });
    let output = "";
    child.stdout?.on("data", (text) => (output += text));
    child.stderr?.on("data", (text) => (output += text));
    child.on("error", (error) => fail(new SetupError(`${sentence} (${error.message})`)));
    child.on("close", (code) => (code === 0 ? done(output) : fail(new SetupError(`${output.slice(-6000)}\n${sentence ?? `${program} ended with ${code}.`}`))));
  });
}

function isOlder(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major < NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor < NODE_FLOOR[1]);
}

/** The Node that runs the product: the system's where it is new enough, else the one from npm. */
export function node() {
  const ours = join(binaries, "node");
  return existsSync(ours) ? ours : process.execPath;
}

/** Whether the product can run on the Node at hand: the one from npm where it is, else the one this runs on, unless `npm ci` has just taken it away. */
function hasNode() {
  const ours = spawnSync(join(binaries, "node"), ["--version"], { encoding: "utf8" });
  return ours.status === 0 ? !isOlder(ours.stdout.trim()) : !isOlder(process.version) && existsSync(process.execPath);
}

const steps = [
  {
    name: "Packages",
    needed: () => fingerprint(["package-lock.json"]),
    run: () =>
      command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
        sentence: "The packages could not be installed: check the connection to the npm registry and run the command again.",
      }),
  },
  {
    name: "Node",
    needed: () => (hasNode() ? false : ABSENT),
    run: () =>
      command("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", NODE_PACKAGE], {
        sentence: `Node ${NODE_FLOOR.join(".")} or newer is needed, this is ${process.version}, and ${NODE_PACKAGE} could not be fetched from npm: install a newer Node.`,
      }),
  },
  {
    name: "libtorch",
    needed: () => (findLibtorch() ? false : ABSENT),
    run: () => installLibtorch(command),
  },
  {
    name: "Engine",
    needed: () => (existsSync(join(root, "native/build/tensorloom.node")) ? fingerprint(["native"], ["build", "libtorch"]) + findLibtorch() : ABSENT),
    run: () =>
      command(node(), ["native/build.mjs"], {
        show: true,
        env: { LIBTORCH: findLibtorch() ?? "" },
        sentence: "The engine could not be built: g++ 11 or newer with C++20 is needed (Debian: apt-get install g++).",
      }),
  },
  {
    name: "Database client",
    needed: () => (existsSync(join(root, "prisma/generated/client.ts")) ? fingerprint(["prisma/schema.prisma"]) : ABSENT),
    run: () =>
      command(node(), ["node_modules/prisma/build/index.js", "generate"], {
        // `generate` asks only that the schema engine exists; migrations run on its WebAssembly build.
        env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
        sentence: "The database client could not be generated from prisma/schema.prisma.",
      }),
  },
  {
    name: "ONNX Runtime for the browser",
    needed: () => (existsSync(join(root, "public/ort")) ? fingerprint(["node_modules/onnxruntime-web/package.json"]) : ABSENT),
    run: () => {
      mkdirSync(join(root, "public/ort"), { recursive: true });
      for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"])
        cpSync(join(root, "node_modules/onnxruntime-web/dist", name), join(root, "public/ort", name));
    },
  },
  {
    name: "Pages",
    needed: () =>
      existsSync(join(root, ".next/BUILD_ID")) ? fingerprint(["app", "core", "public", "next.config.js", "postcss.config.mjs", "tsconfig.json", "package-lock.json"]) : ABSENT,
    run: () => command(node(), ["node_modules/next/dist/bin/next", "build"], { sentence: "The pages could not be built." }),
  },
];

/** What the tests need beside: a browser. The oracles (PyTorch in Python, ONNX Runtime) are looked for by the tests that use them. */
const testSteps = [
  {
    name: "Chromium",
    needed: () => (findChromium() ? false : ABSENT),
    run: async () => {
      const sentence = "The browser tests need Chromium: apt-get install chromium, or set CHROMIUM to an executable.";
      if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
        await command("apt-get", ["update", "-qq"], { sentence });
        await command("apt-get", ["install", "-y", "-qq", "chromium"], { sentence, env: { DEBIAN_FRONTEND: "noninteractive" } });
      } else await command(node(), ["node_modules/@playwright/test/cli.js", "install", "chromium"], { sentence });
    },
  },
  {
    name: "Oracles",
    needed: () => (existsSync(join(root, "test/.oracles")) ? fingerprint(["test/oracles.txt"]) : ABSENT),
    run: async () => {
      // The tests compare with these where they are; each one that is missing is named and its tests are counted as skipped.
      const target = join(root, "test/.oracles");
      mkdirSync(target, { recursive: true });
      for (const line of readFileSync(join(root, "test/oracles.txt"), "utf8")
        .split("\n")
        .filter((text) => text && !text.startsWith("#")))
        await command("python3", ["-m", "pip", "install", "--quiet", "--retries", "0", "--target", target, ...line.split(" ")]).catch(() =>
          console.log(`    ${line} cannot be had here; the tests that compare with it will say that they were skipped.`),
        );
    },
  },
];

/** The browser for the tests: CHROMIUM, the system's, or Playwright's own. */
export function findChromium() {
  const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const playwrights = join(process.env.HOME ?? "/root", ".cache/ms-playwright");
  if (existsSync(playwrights))
    for (const name of readdirSync(playwrights))
      if (name.startsWith("chromium-")) candidates.push(join(playwrights, name, "chrome-linux64/chrome"), join(playwrights, name, "chrome-linux/chrome"));
  return candidates.find((path) => path && existsSync(path)) ?? null;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await runSteps(process.argv.includes("--tests") ? [...steps, ...testSteps] : steps);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/**
 * Builds the engine: `native/build/tensorloom.node` (the addon) and `native/build/engine_test` (the same engine without Node).
 *
 *     node native/build.mjs [--only engine_test] [--sanitize] [--quiet]
 *
 * libtorch is where `libtorch.mjs` finds it. Runs on any Node ≥ 20,
 * before anything else of the project does. Does nothing where nothing has changed.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findLibtorch } from "./libtorch.mjs";

const native = dirname(fileURLToPath(import.meta.url));
const root = dirname(native);

/** What cannot be built, in a sentence that says what to do. */
export class BuildError extends Error {}

/**
 * @param {object} options
 * @param {string | undefined} options.libtorch folder with libtorch's `include/` and `lib/`
 * @param {("addon" | "engine_test")[]} [options.targets]
 * @param {boolean} [options.sanitize] AddressSanitizer and UBSan over our own code, into `build/sanitized/`
 * @param {(line: string) => void} [options.onProgress] receives `Compiling the engine: 7 of 16 …`
 * @returns {Promise<{ addon: string, engineTest: string, built: boolean, seconds: number }>}
 */
export async function buildEngine({ libtorch, targets = ["addon", "engine_test"], sanitize = false, onProgress = () => {} }) {
  const started = Date.now();
  if (!libtorch || !existsSync(join(libtorch, "include/ATen/core/Tensor.h"))) {
    throw new BuildError(
      `No libtorch at ${libtorch ?? "LIBTORCH (not set)"}: set LIBTORCH to the folder that holds include/ and lib/, for example the one printed by \`python3 -c "import torch; print(torch.__path__[0])"\`.`,
    );
  }
  const compiler = process.env.CXX ?? "g++";
  const version = spawnSync(compiler, ["-dumpfullversion", "-dumpversion"], { encoding: "utf8" });
  if (version.status !== 0) throw new BuildError(`No C++ compiler "${compiler}": install one, on Debian or Ubuntu with \`apt-get install g++\`.`);

  const out = join(native, sanitize ? "build/sanitized" : "build");
  mkdirSync(join(out, "objects"), { recursive: true });
  const result = { addon: join(out, "tensorloom.node"), engineTest: join(out, "engine_test") };

  const lib = join(libtorch, "lib");
  const hasCuda = existsSync(join(lib, "libtorch_cuda.so"));
  const engine = sources("src/engine");
  const flags = ["-std=c++20", sanitize ? "-O1" : "-O2", "-fPIC", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-fvisibility=hidden"];
  if (sanitize) flags.push("-g1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover=undefined");
  const includes = ["-isystem", join(libtorch, "include"), "-isystem", join(libtorch, "include/torch/csrc/api/include")];
  const nodeIncludes = ["-isystem", join(root, "node_modules/node-addon-api"), "-isystem", join(root, "node_modules/node-api-headers/include")];
  if (targets.includes("addon") && !existsSync(nodeIncludes[1])) throw new BuildError("The packages node-addon-api and node-api-headers are missing: run `npm ci` first.");

  const units = [
    ...engine.map((file) => ({ file, flags: [...flags, ...includes] })),
    ...(targets.includes("engine_test") ? sources("src/test").map((file) => ({ file, flags: [...flags, ...includes] })) : []),
    ...(targets.includes("addon") ? [{ file: join(native, "src/binding.cc"), flags: [...flags, ...nodeIncludes, "-DNODE_ADDON_API_CPP_EXCEPTIONS", "-DNAPI_VERSION=8"] }] : []),
  ];
  const headers = hash(...sources("src/engine", ".h").map((file) => readFileSync(file)));
  const torchId = hash(readFileSync(join(libtorch, "include/torch/csrc/api/include/torch/version.h")), lib, String(hasCuda));
  const testHeaders = hash(...sources("src/test", ".h").map((file) => readFileSync(file)));
  const unitId = ({ file, flags }) => hash(file, readFileSync(file), headers, torchId, version.stdout, flags.join(" "), ...(file.includes("/src/test/") ? [testHeaders] : []));
  const buildId = hash(...units.filter(({ file }) => engine.includes(file)).map(unitId)).slice(0, 16);
  const inputs = hash(...units.map(unitId), readFileSync(fileURLToPath(import.meta.url)));
  const outputs = [...(targets.includes("addon") ? [result.addon] : []), ...(targets.includes("engine_test") ? [result.engineTest] : [])];
  const stamp = join(out, `${targets.join("+")}.stamp`);
  if (outputs.every((file) => existsSync(file)) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return { ...result, built: false, seconds: 0 };

  // Its own tiny unit, so that a new id recompiles nothing else.
  const idUnit = join(out, "build_id.cc");
  writeFileSync(idUnit, `#include <string>\nnamespace tensorloom {\nstd::string build_id();\nstd::string build_id() { return "${buildId}"; }\n}\n`);
  units.push({ file: idUnit, flags });

  const ccache = spawnSync("ccache", ["--version"]).status === 0 ? ["ccache"] : [];
  const stale = units.filter((unit) => !isFresh(out, unit, unitId));
  let done = 0;
  const queue = [...stale];
  const worker = async () => {
    for (let unit = queue.shift(); unit; unit = queue.shift()) {
      const object = objectOf(out, unit.file);
      await execute([...ccache, compiler, ...unit.flags, "-c", unit.file, "-o", object]);
      writeFileSync(`${object}.id`, unitId(unit));
      onProgress(`Compiling the engine: ${++done} of ${stale.length}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, worker));

  onProgress("Linking the engine");
  const engineObjects = [...engine, idUnit].map((file) => objectOf(out, file));
  const libraries = [
    `-L${lib}`,
    "-Wl,--no-as-needed",
    ...(hasCuda ? ["-ltorch_cuda", "-lc10_cuda"] : []),
    "-ltorch",
    "-ltorch_cpu",
    "-lc10",
    "-Wl,--as-needed",
    `-Wl,-rpath,${lib}`,
    "-pthread",
  ];
  const linkFlags = sanitize ? ["-fsanitize=address,undefined"] : [];
  const links = [];
  if (targets.includes("addon"))
    links.push(execute([compiler, "-shared", ...linkFlags, ...engineObjects, objectOf(out, join(native, "src/binding.cc")), ...libraries, "-o", result.addon]));
  if (targets.includes("engine_test"))
    links.push(execute([compiler, ...linkFlags, ...engineObjects, ...sources("src/test").map((file) => objectOf(out, file)), ...libraries, "-o", result.engineTest]));
  await Promise.all(links);
  writeFileSync(stamp, inputs);
  return { ...result, built: true, seconds: (Date.now() - started) / 1000 };
}

function sources(folder, extension = ".cc") {
  return readdirSync(join(native, folder))
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(native, folder, name));
}

function hash(...parts) {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part).update("\0");
  return sum.digest("hex");
}

function objectOf(out, file) {
  return join(out, "objects", `${file.slice(native.length + 1).replaceAll("/", "-")}.o`);
}

function isFresh(out, unit, unitId) {
  const object = objectOf(out, unit.file);
  return existsSync(object) && existsSync(`${object}.id`) && readFileSync(`${object}.id`, "utf8") === unitId(unit);
}

function execute([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      // Warnings are shown even where the compiler was content.
      if (code === 0 && errors) process.stderr.write(errors);
      if (code === 0) resolve(undefined);
      else reject(new BuildError(`The engine does not compile with ${command}:\n${errors.slice(0, 20_000)}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.indexOf("--only");
  const isTerminal = process.stderr.isTTY && !process.argv.includes("--quiet");
  try {
    const built = await buildEngine({
      libtorch: findLibtorch() ?? undefined,
      sanitize: process.argv.includes("--sanitize"),
      ...(only > 0 ? { targets: /** @type {("addon" | "engine_test")[]} */ ([process.argv[only + 1]]) } : {}),
      onProgress: (line) => isTerminal && process.stderr.write(`\r\x1b[K${line}`),
    });
    if (isTerminal) process.stderr.write("\r\x1b[K");
    console.log(built.built ? `Built the engine in ${built.seconds.toFixed(1)} s.` : "The engine is up to date.");
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

import { spawn, spawnSync } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { findLibtorch } from "../native/libtorch.mjs";

/**
 * Independent implementations to compare with, in Python: PyTorch, NumPy, safetensors, ONNX, ONNX Runtime. They are never part of
 * the product. Set-up puts them into `test/.oracles`; a test whose oracle is missing says so by name and counts as skipped.
 */
const libtorch: string | null = findLibtorch();
export const oracleEnv = {
  ...process.env,
  // The folder that holds libtorch is the Python package too, where it came as a wheel.
  PYTHONPATH: [join(import.meta.dirname, ".oracles"), ...(libtorch ? [dirname(libtorch)] : []), process.env.PYTHONPATH ?? ""].filter(Boolean).join(delimiter),
};
/** One thread each: tests run side by side. */
const env = { ...oracleEnv, OMP_NUM_THREADS: "1" };

/** Those of the Python modules that are not installed. */
export function missingOracles(...modules: string[]): string[] {
  // PyTorch's optimizers do not load without sympy, of which libtorch's wheel brings nothing.
  if (modules.includes("torch")) modules.push("sympy");
  const script = "import importlib.util, json, sys; print(json.dumps([m for m in sys.argv[1:] if importlib.util.find_spec(m) is None]))";
  const found = spawnSync("python3", ["-c", script, ...modules], { env, encoding: "utf8" });
  if (found.status !== 0) return modules;
  const missing: string[] = JSON.parse(found.stdout);
  return missing;
}

/**
 * Runs a Python program that reads JSON from its standard input and prints one line of JSON last.
 * @throws Error with what Python wrote, where it fails.
 */
export function runPython(program: string, input: unknown = null): Promise<unknown> {
  return new Promise((done, fail) => {
    const child = spawn("python3", ["-c", program], { env });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.on("error", fail);
    child.on("close", (code) => {
      if (code !== 0) return fail(new Error(`Python ended with ${code}:\n${errors}\n${output}`));
      try {
        done(JSON.parse(output.trim().split("\n").at(-1) ?? ""));
      } catch (cause) {
        fail(new Error(`Python's last line is not JSON:\n${output}`, { cause }));
      }
    });
    // A program that fails before it has read everything closes the pipe; its exit code tells the story.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(input));
  });
}

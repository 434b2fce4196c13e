// Where libtorch is: LIBTORCH, then a `torch` that python3 can import, then the copy that set-up keeps in native/libtorch.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const VERSION = "2.13.0";

const isLibtorch = (folder) => existsSync(join(folder, "include/ATen/ATen.h")) && existsSync(join(folder, "lib/libtorch_cpu.so"));

/** The folder that holds `include/` and `lib/`, or null where there is none yet. */
export function findLibtorch() {
  const given = process.env.LIBTORCH;
  if (given) {
    if (isLibtorch(given)) return given;
    throw new Error(`LIBTORCH=${given} holds no include/ATen and lib/libtorch_cpu.so: point it at an unpacked libtorch, or unset it.`);
  }
  const own = join(here, "libtorch/torch");
  if (isLibtorch(own)) return own;
  const python = spawnSync("python3", ["-c", "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"], { encoding: "utf8" });
  const installed = python.status === 0 ? python.stdout.trim() : "";
  return installed && isLibtorch(installed) ? installed : null;
}

/** Fetches the wheel of PyTorch with pip: the CPU build, or the CUDA build with its libraries where an NVIDIA driver is loaded. */
export async function installLibtorch(command) {
  const target = join(here, "libtorch");
  rmSync(target, { recursive: true, force: true });
  const hasDriver = existsSync("/proc/driver/nvidia/version");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--target", target];
  const sentence = "libtorch could not be fetched: python3 with pip is needed (Debian: apt-get install python3-pip), or set LIBTORCH to an unpacked libtorch.";
  if (hasDriver) await command("python3", [...pip, `torch==${VERSION}`], { sentence });
  else await command("python3", [...pip, "--no-deps", "--index-url", "https://download.pytorch.org/whl/cpu", `torch==${VERSION}`], { sentence });
  return join(target, "torch");
}

#!/bin/sh
# Builds engine_test against the PyTorch that python3 imports and runs its numerical checks and benchmarks on the GPU.
# Needs g++ and python3 with a CUDA build of PyTorch; neither Node nor a CUDA toolkit. Says so where there is no GPU.
#
#     native/test-gpu.sh            all checks, then samples per second on the CPU and on the GPU
#     PYTHON=python3.12 CXX=g++-13 native/test-gpu.sh
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
compiler=${CXX:-g++}

if ! command -v "$compiler" >/dev/null; then
  echo "No C++ compiler \"$compiler\": install g++." >&2
  exit 1
fi
libtorch=${LIBTORCH:-$("$python" -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null || true)}
if [ -z "$libtorch" ] || [ ! -f "$libtorch/lib/libtorch_cpu.so" ]; then
  echo "No PyTorch: $python cannot import torch, and LIBTORCH is not set. Nothing was checked."
  exit 0
fi
if [ ! -f "$libtorch/lib/libtorch_cuda.so" ]; then
  echo "No GPU build: the PyTorch at $libtorch is for the CPU. Nothing was checked on a GPU."
  exit 0
fi

build=${BUILD_DIR:-$here/build/gpu}
mkdir -p "$build"
echo "Building engine_test against $libtorch"
printf '#include <string>\nnamespace tensorloom {\nstd::string build_id();\nstd::string build_id() { return "gpu-test"; }\n}\n' >"$build/build_id.cc"
jobs=$(getconf _NPROCESSORS_ONLN)
# shellcheck disable=SC2016
printf '%s\n' "$here"/src/engine/*.cc "$here"/src/test/*.cc "$build/build_id.cc" |
  xargs -P "$jobs" -I{} sh -c '"$1" -std=c++20 -O2 -fPIC -isystem "$2/include" -isystem "$2/include/torch/csrc/api/include" -c "$4" -o "$3/$(basename "$4").o"' _ "$compiler" "$libtorch" "$build" {}
# NVIDIA's own libraries lie beside PyTorch in packages of their own; the loader finds them through libtorch's rpath.
"$compiler" "$build"/*.o -L"$libtorch/lib" -Wl,--no-as-needed -ltorch_cuda -lc10_cuda -ltorch -ltorch_cpu -lc10 -Wl,--as-needed \
  -Wl,-rpath,"$libtorch/lib" -Wl,--allow-shlib-undefined -pthread -o "$build/engine_test"

engine=$build/engine_test
"$engine" --info
if ! "$engine" --info | grep -q '"cuda":true'; then
  echo "No GPU: libtorch sees no CUDA device on this machine. Nothing was checked on a GPU."
  exit 0
fi

"$engine" --self-check --device cuda
"$engine" compare "$here"/src/test/specs/*.json
echo "Samples per second, CPU:"
"$engine" bench "$here"/src/test/specs/*.json
echo "Samples per second, GPU:"
"$engine" bench --device cuda "$here"/src/test/specs/*.json

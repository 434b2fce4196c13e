// The engine without Node: runs specs and checks itself. For debuggers, sanitizers, and GPU machines that have no Node.

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "../engine/engine.h"
#include "commands.h"

namespace {

constexpr char kUsage[] =
    "engine_test --info                          what the engine is and runs on\n"
    "engine_test --self-check [--device cuda]    check the engine against itself and libtorch\n"
    "engine_test train SPEC.json                 carry out a spec; events go to standard output, one array a line\n"
    "engine_test check PROGRAM.json              read a program\n"
    "engine_test fuzz COUNT SEED                 read and run damaged programs\n"
    "engine_test compare SPEC.json ...           losses on the CPU and on the GPU, on synthetic data\n"
    "engine_test bench [--device cuda] SPEC.json ...   samples per second on synthetic data\n"
    "engine_test overhead THREADS SPEC.json ...  a training step by program and written out by hand: lenet-5, small-mlp\n";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw tensorloom::EngineError("INTERNAL", "Cannot read \"" + path + "\".");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int command(std::vector<std::string> args) {
  tensorloom::test::Where where;
  for (size_t i = 0; i + 1 < args.size(); ++i)
    if (args[i] == "--device") {
      where.cuda = args[i + 1] == "cuda";
      args.erase(args.begin() + static_cast<std::ptrdiff_t>(i), args.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      break;
    }
  const std::string name = args.empty() ? "" : args[0];
  const std::vector<std::string> rest(args.begin() + (args.empty() ? 0 : 1), args.end());
  if (name == "--info") {
    std::cout << tensorloom::info_json() << "\n";
    return 0;
  }
  if (name == "--self-check") return tensorloom::test::self_check(where);
  if (name == "fuzz" && rest.size() == 2) return tensorloom::test::fuzz(std::stoi(rest[0]), static_cast<unsigned>(std::stoul(rest[1])));
  if (name == "compare" && !rest.empty()) return tensorloom::test::compare_devices(rest);
  if (name == "bench" && !rest.empty()) return tensorloom::test::bench(rest, where, 3);
  if (name == "overhead" && rest.size() >= 2) return tensorloom::test::overhead({rest.begin() + 1, rest.end()}, std::stoi(rest[0]));
  if (name == "check" && rest.size() == 1) {
    tensorloom::check_program(read_file(rest[0]));
    return 0;
  }
  if (name == "train" && rest.size() == 1) {
    tensorloom::Control control;
    const auto result = tensorloom::train(read_file(rest[0]), [](const std::string& events) { std::cout << events << std::endl; }, control);
    std::cout << (result.finished ? "finished" : "cancelled") << " after " << result.steps << " steps" << std::endl;
    return 0;
  }
  std::cerr << kUsage;
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return command({argv + 1, argv + argc});
  } catch (const tensorloom::EngineError& error) {
    std::cerr << error.failure.to_json() << "\n";
    return 1;
  }
}

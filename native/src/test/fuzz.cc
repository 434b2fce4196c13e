#include <ATen/core/Tensor.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "../engine/error.h"
#include "../engine/interpreter.h"
#include "../engine/json.h"
#include "../engine/memory.h"
#include "../engine/operators.h"
#include "../engine/weights.h"
#include "commands.h"
#include "programs.h"

namespace tensorloom::test {
namespace {

using Random = std::mt19937;

size_t below(Random& random, size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random); }

void write(JsonWriter& out, const Json& json) {
  struct Writer {
    JsonWriter& out;
    void operator()(std::nullptr_t) const { out.null(); }
    void operator()(bool flag) const { out.value(flag); }
    void operator()(double number) const { out.value(number); }
    void operator()(const std::string& text) const { out.value(text); }
    void operator()(const Json::Array& items) const {
      out.open('[');
      for (const Json& item : items) write(out, item);
      out.close(']');
    }
    void operator()(const Json::Object& members) const {
      out.open('{');
      for (const auto& [key, member] : members) {
        out.key(key);
        write(out, member);
      }
      out.close('}');
    }
  };
  std::visit(Writer{out}, json.value);
}

void collect(Json& json, std::vector<Json*>& all) {
  all.push_back(&json);
  if (auto* items = std::get_if<Json::Array>(&json.value))
    for (Json& item : *items) collect(item, all);
  if (auto* members = std::get_if<Json::Object>(&json.value))
    for (auto& [key, member] : *members) collect(member, all);
}

Json value_ref(double value) { return Json{Json::Object{{"v", Json{value}}}}; }

Json random_leaf(Random& random) {
  constexpr double kNumbers[] = {-1, 0, 1, 2, 3, 4, 7, 8, 0.5, -0.5, 16, 64, 1e-30, 255, 65536, 2147483647.0, 2147483648.0, -2147483649.0, 9007199254740991.0, -9007199254740991.0, 1e30};
  switch (below(random, 9)) {
    case 0: return Json{nullptr};
    case 1: return Json{below(random, 2) == 0};
    case 2: return value_ref(static_cast<double>(below(random, 40)));
    case 3: return Json{std::string(below(random, 2) ? "float32" : "int64")};
    case 4: return Json{Json::Object{{"ints", Json{Json::Array{random_leaf(random), Json{kNumbers[below(random, std::size(kNumbers))]}}}}}};
    case 5: return Json{Json::Object{{"size", Json{Json::Array{Json{static_cast<double>(below(random, 40))}, Json{static_cast<double>(below(random, 5)) - 1}}}}}};
    case 6: return Json{Json::Object{{"vs", Json{Json::Array{Json{static_cast<double>(below(random, 40))}, Json{static_cast<double>(below(random, 40))}}}}}};
    default: return Json{kNumbers[below(random, std::size(kNumbers))]};
  }
}

void damage(Json& program, Random& random) {
  std::vector<Json*> all;
  collect(program, all);
  Json& target = *all[below(random, all.size())];
  auto* items = std::get_if<Json::Array>(&target.value);
  auto* text = std::get_if<std::string>(&target.value);
  if (items && !items->empty()) {
    const size_t at = below(random, items->size());
    switch (below(random, 5)) {
      case 0: items->erase(items->begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: items->push_back(Json((*items)[at])); break;
      case 2: std::swap((*items)[at], (*items)[below(random, items->size())]); break;
      case 3: items->push_back(random_leaf(random)); break;
      default: (*items)[at] = random_leaf(random);
    }
  } else if (text && text->starts_with("aten::")) {
    const auto operators = allowed_operators();
    *text = std::string(operators[below(random, operators.size())]);
  } else {
    target = random_leaf(random);
  }
}

Json* member(Json& object, std::string_view key) { return const_cast<Json*>(object.find(key)); }

/// Replaces one operator and all its arguments by others that fit its schema by kind and name values in sight, so that
/// the program still reads and libtorch's own checks are reached.
void replace_call(Json& program, Random& random) {
  Json* ops = member(program, "ops");
  auto* list = ops ? std::get_if<Json::Array>(&ops->value) : nullptr;
  if (!list || list->empty()) return;
  const size_t chosen = below(random, list->size());
  std::vector<double> sight{0, 1, 2, 3};
  for (size_t i = 0; i < chosen; ++i)
    if (Json* out = member((*list)[i], "out"); out && std::holds_alternative<Json::Array>(out->value))
      for (const Json& value : std::get<Json::Array>(out->value))
        if (const auto* number = std::get_if<double>(&value.value)) sight.push_back(*number);
  Json& call = (*list)[chosen];
  if (!std::holds_alternative<Json::Object>(call.value) || member(call, "blocks")) return;
  const auto operators = allowed_operators();
  const std::string name(operators[below(random, operators.size())]);
  const size_t dot = name.find('.');
  const auto handle = c10::Dispatcher::singleton().findSchema({name.substr(0, dot), dot == std::string::npos ? "" : name.substr(dot + 1)});
  Json::Array args;
  for (const auto& argument : handle->schema().arguments()) {
    const std::string type = argument.real_type()->str();
    const auto number = [&] { return Json{std::vector<double>{-2, -1, 0, 1, 2, 3, 4, 8, 1e6, 2147483648.0, 9007199254740991.0}[below(random, 11)]}; };
    const auto value = [&] { return Json{sight[below(random, sight.size())]}; };
    if (argument.default_value() && below(random, 4) == 0) break;
    if (type.find("Tensor[]") != std::string::npos || type.find("List[Tensor]") != std::string::npos) args.push_back(Json{Json::Object{{"vs", Json{Json::Array{value(), value()}}}}});
    else if (type.find("Tensor") != std::string::npos) args.push_back(type.starts_with("Optional") && below(random, 2) ? Json{nullptr} : Json{Json::Object{{"v", value()}}});
    else if (type.find("List[") != std::string::npos || type.find("[]") != std::string::npos) {
      Json::Array list;
      for (size_t i = below(random, 4); i > 0; --i) list.push_back(number());
      args.push_back(Json{Json::Object{{type.find("float") != std::string::npos ? "floats" : "ints", Json{list}}}});
    } else if (type.find("bool") != std::string::npos) args.push_back(Json{below(random, 2) == 0});
    else if (type.find("ScalarType") != std::string::npos) args.push_back(Json{std::string(std::vector<const char*>{"float32", "int64", "bool", "uint8"}[below(random, 4)])});
    else if (type.starts_with("Optional") && below(random, 2)) args.push_back(Json{nullptr});
    else if (type.find("str") != std::string::npos) args.push_back(Json{std::string("same")});
    else args.push_back(number());
  }
  for (auto& [key, member] : std::get<Json::Object>(call.value)) {
    if (key == "op") member.value = name;
    if (key == "args") member.value = args;
  }
}

} // namespace

int fuzz(int count, unsigned seed) {
  install_memory_guard();
  set_tensor_limit(size_t{64} << 20);
  Random random(seed);
  std::vector<at::Tensor> inputs{at::randn({3, 2, 8, 8}), at::randint(0, 4, {3}, at::kLong)};
  int read = 0, ran = 0;
  for (int i = 0; i < count; ++i) {
    Json json = Json::parse(kPrograms[below(random, std::size(kPrograms))], "PROGRAM_INVALID");
    for (size_t damages = 1 + below(random, 3); damages > 0; --damages) {
      if (below(random, 3) == 0) damage(json, random);
      else replace_call(json, random);
    }
    JsonWriter writer;
    write(writer, json);
    std::string text = writer.take();
    if (below(random, 10) == 0) text[below(random, text.size())] = static_cast<char>(below(random, 256));
    if (std::getenv("ENGINE_FUZZ_PRINT")) {
      std::fprintf(stderr, "%s\n", text.c_str());
      std::fflush(stderr);
    }
    try {
      const Json damaged = Json::parse(text, "PROGRAM_INVALID");
      const Program program = Program::read(JsonPlace(damaged, "", "PROGRAM_INVALID"));
      ++read;
      std::vector<at::Tensor> weights = draw_weights(program.weights, make_generator(seed));
      for (size_t w = 0; w < weights.size(); ++w)
        if (program.weights[w].trainable) weights[w].requires_grad_(true);
      if (program.inputs.size() != inputs.size()) continue;
      Interpreter interpreter(program.only({"loss"}), at::kCPU);
      const std::vector<at::Tensor> outputs = interpreter.run(inputs, weights, below(random, 2) == 0);
      try {
        if (!outputs.empty() && outputs[0].numel() == 1 && outputs[0].requires_grad()) outputs[0].backward();
      } catch (...) {
        rethrow_as_engine_error("backward");
      }
      ++ran;
    } catch (const EngineError& error) {
      static const std::set<std::string> codes{"PROGRAM_INVALID", "OP_NOT_ALLOWED", "OP_FAILED", "SHAPE_MISMATCH", "OUT_OF_MEMORY", "LOOP_LIMIT", "DATA_MISMATCH"};
      if (!codes.contains(error.failure.code)) {
        std::printf("unexpected %s\n", error.failure.to_json().c_str());
        return 1;
      }
    }
  }
  std::printf("%d damaged programs: %d read, %d of them ran, no crash\n", count, read, ran);
  return 0;
}

} // namespace tensorloom::test

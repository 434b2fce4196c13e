#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "guards.h"
#include "json.h"

namespace tensorloom {

/// The size of one axis of a value, known when it runs.
struct SizeOf {
  int value;
  int64_t axis;
};
/// A tensor.
struct Use {
  int value;
};
/// A list of tensors. `optional`: the schema says `Tensor?[]`.
struct UseList {
  std::vector<int> values;
  bool optional;
};
/// A list of ints of which some are sizes.
struct IntList {
  std::vector<std::variant<int64_t, SizeOf>> items;
};
struct TrainingFlag {};
/// The device the program runs on.
struct RunDevice {};
/// An argument, already in the form the operator's schema asks for. An IValue is a constant.
using Argument = std::variant<c10::IValue, Use, UseList, SizeOf, IntList, TrainingFlag, RunDevice>;

struct Op;

/// Straight-line code. A nested block sees the values of the blocks around it.
struct Block {
  std::vector<int> inputs;
  std::vector<Op> ops;
  std::vector<int> outputs;
  /// Outputs defined in this block itself: let go once they are handed on.
  std::vector<int> own_outputs;
};

struct Op {
  enum class Kind { Call, If, While, Repeat, Switch };
  Op(Kind kind, std::string name, std::string node) : kind(kind), name(std::move(name)), node(std::move(node)) {}

  Kind kind;
  /// `aten::linear`, or `if`, `while`, `repeat`, `switch`.
  std::string name;
  std::string node;
  /// Which of the program's `nodes` that is, from 1 on.
  int32_t place = 0;
  std::vector<int> out;
  /// Values whose last use this is.
  std::vector<int> frees;

  // Call
  std::optional<c10::OperatorHandle> handle;
  Guard guard = nullptr;
  std::vector<Argument> args;
  /// Changes a buffer: never left out as unneeded.
  bool writes = false;

  // If, While, Repeat, Switch
  std::vector<Block> blocks;
  /// What an If or a Switch asks. An If without one asks whether it is training.
  int cond = -1;
  /// What loops carry, and what a Switch hands out by rows.
  std::vector<int> init;
  int64_t times = 0;
  int times_value = -1;
  std::optional<SizeOf> times_size;
  /// What a Repeat takes apart, a slice for each turn.
  std::vector<SizeOf> scans;
  /// Along which axes a Repeat stacks what its block yields beyond the carried.
  std::vector<int64_t> stacks;
  bool reverse = false;
  int64_t max_iterations = 0;
  bool limit_fails = false;
};

struct Input {
  int value;
  std::string name;
  c10::ScalarType dtype;
  /// A size known only at run time is a text; equal text means equal size.
  std::vector<std::variant<int64_t, std::string>> shape;
  std::string node;
};

struct Uniform {
  double low, high;
  /// Draws, so that later weights get the numbers they should, and then clears.
  bool zero;
};
struct Normal {
  double mean, std;
  int64_t zero_row;
};
struct Constant {
  double value;
};
struct Values {
  std::vector<double> values;
};
using Init = std::variant<Uniform, Normal, Constant, Values>;

struct Weight {
  int value;
  std::string name;
  c10::ScalarType dtype;
  std::vector<int64_t> shape;
  Init init;
  bool trainable;
  std::string node;
};

struct Output {
  int value;
  std::string name;
};

/// A checked program: every operator exists and is allowed, every argument fits its schema, every value is written once
/// and before it is read. The counterpart of core/program/program.ts.
struct Program {
  std::vector<Input> inputs;
  std::vector<Weight> weights;
  Block body;
  std::vector<Output> outputs;
  /// Of all its instructions, each once. What is cut out of a program keeps them.
  std::vector<std::string> nodes;
  int value_count = 0;
  bool has_random = false;
  bool has_repeat = false;

  /// @throws EngineError PROGRAM_INVALID or OP_NOT_ALLOWED, naming the node and the place in the document.
  static Program read(const JsonPlace& place);

  /// Only what these outputs need, in this order, with values let go at their last use.
  Program only(const std::vector<std::string>& output_names) const;

  /// The part that makes these values, which are its outputs, named by `feature_name`.
  Program up_to(const std::vector<int>& values) const;
  /// The part behind these values, which are inputs now, in front of the others that it still needs.
  Program behind(const std::vector<int>& values) const;
  /// Whether an operator outside of all blocks makes this value.
  bool makes(int value) const;
  static std::string feature_name(int value) { return "feature:" + std::to_string(value); }
  static bool is_feature(const Input& input) { return input.name == feature_name(input.value); }

  bool has_output(const std::string& name) const;

  /// Gives every operator that drops at this node, or inside it, another share; everywhere where `node` is empty.
  /// @return how many there are.
  size_t set_dropout(const std::string& node, double p);
};

/// The names of dtypes in programs, `.npy` manifests and safetensors: float32, int64, bool, uint8.
c10::ScalarType dtype_named(const JsonPlace& place);
const char* dtype_name(c10::ScalarType dtype);

} // namespace tensorloom

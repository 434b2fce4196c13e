#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "error.h"
#include "program.h"

namespace tensorloom {

/// Sees each operator's results as they are made.
using Observer = std::function<void(const Op& op, const std::vector<at::Tensor>& arguments, const std::vector<at::Tensor>& results)>;

/// Runs one checked program. Autograd, autocast and inference mode are the caller's, by libtorch's thread-local guards.
/// One thread at a time.
class Interpreter {
 public:
  Interpreter(Program program, at::Device device);

  const Program& program() const { return program_; }
  /// As Program::set_dropout, between two runs.
  size_t set_dropout(const std::string& node, double p) { return program_.set_dropout(node, p); }

  /// The outputs in the program's order. `weights` follow `program().weights`, `inputs` follow `program().inputs`.
  /// @throws EngineError naming node and operator: OP_FAILED, SHAPE_MISMATCH, OUT_OF_MEMORY, LOOP_LIMIT, DATA_MISMATCH.
  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& weights, bool training, const Observer& observer = nullptr);

 private:
  void check_inputs(const std::vector<at::Tensor>& inputs);
  void execute(const Block& block);
  void call(const Op& op);
  void branch(const Op& op);
  void loop_while(const Op& op);
  void loop_repeat(const Op& op);
  void route(const Op& op);
  void join_device();
  void push(const Argument& argument);
  int64_t size_of(const SizeOf& size) const;
  std::vector<at::Tensor> enter(const Block& block, std::vector<at::Tensor> arguments);
  void count_turn(const Op& op);
  std::vector<at::Tensor> tensors_of(const Op& op) const;

  Program program_;
  at::Device device_;
  /// By value id. A slot is empty before its value is made and after its last use.
  std::vector<at::Tensor> slots_;
  std::vector<c10::IValue> stack_;
  const Observer* observer_ = nullptr;
  bool training_ = false;
  int64_t turns_ = 0;
};

/// What the exception under way says, put down to an operator of the program. `doing`: `the backward of `.
Failure failure_at(const Op& op, const std::string& doing);

/// Turns any exception of libtorch into an EngineError; `where` is put in front of the sentence.
[[noreturn]] void rethrow_as_engine_error(const std::string& where);

/// `[64, 784]`
std::string print_shape(c10::ArrayRef<int64_t> shape);

} // namespace tensorloom

#include "interpreter.h"

#include <ATen/core/List.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/unbind.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <unordered_map>

#include "error.h"
#include "memory.h"
#include "whereabouts.h"

namespace tensorloom {
namespace {

/// Loop turns one forward pass may take in all: nested loops multiply, and cancel waits for the step to end.
constexpr int64_t kMaxTurns = 1'000'000;

bool contains_any(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return text.find(word) != std::string::npos; });
}

/// What libtorch's message means in our codes. libtorch types few of its errors, so the words decide.
std::string code_of(const c10::Error& error) {
  const std::string message = error.what_without_backtrace();
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) || contains_any(message, {"can't allocate memory", "out of memory", "not enough memory"})) return "OUT_OF_MEMORY";
  if (contains_any(message, {"shape", "size", "dimension", "Dimension", "must match", "channels"})) return "SHAPE_MISMATCH";
  return "OP_FAILED";
}

/// libtorch's sentence without its place in libtorch's sources.
std::string sentence_of(const c10::Error& error) {
  std::string message = error.what_without_backtrace();
  if (const size_t end = message.find("\nException raised from"); end != std::string::npos) message.resize(end);
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ' || message.back() == '.')) message.pop_back();
  return message;
}

Failure failure_now() {
  try {
    throw;
  } catch (const EngineError& error) {
    return error.failure;
  } catch (const c10::Error& error) {
    Failure failure{code_of(error), sentence_of(error), "", "", -1, {}};
    if (failure.code != "OUT_OF_MEMORY") return failure;
    const Shortage shortage = take_shortage(failure.message);
    failure.asked_bytes = shortage.asked;
    if (shortage.asked >= 0 && shortage.held >= 0) failure.needed_bytes = shortage.asked + shortage.held;
    failure.limit_bytes = shortage.limit;
    return failure;
  } catch (const std::bad_alloc&) {
    return {"OUT_OF_MEMORY", "the machine has no more memory", "", "", -1, {}};
  } catch (const std::exception& error) {
    return {"OP_FAILED", error.what(), "", "", -1, {}};
  }
}

/// What ran out where, as `Out of memory: needed ~2.2 GiB, limit 2.0 GiB, at "conv1": aten::conv2d asked for 512 MiB.`
std::string shortage_sentence(const Failure& failure, const std::string& node, const std::string& who) {
  std::string text = "Out of memory";
  if (failure.needed_bytes >= 0 && failure.limit_bytes >= 0) text += ": needed ~" + print_bytes(failure.needed_bytes) + ", limit " + print_bytes(failure.limit_bytes);
  if (!node.empty()) text += ", at \"" + node + "\"";
  text += ": " + who;
  return text + (failure.asked_bytes >= 0 ? " asked for " + print_bytes(failure.asked_bytes) + "." : " found none left (" + failure.message + ").");
}

} // namespace

Failure failure_at(const Op& op, const std::string& doing) {
  Failure failure = failure_now();
  const std::string who = doing + op.name;
  failure.message = failure.code == "OUT_OF_MEMORY" ? shortage_sentence(failure, op.node, who) : who + " at \"" + op.node + "\" failed: " + failure.message + ".";
  failure.node = op.node;
  failure.op = op.name;
  return failure;
}

std::string print_shape(c10::ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void rethrow_as_engine_error(const std::string& where) {
  Failure failure = failure_now();
  if (failure.code == "OUT_OF_MEMORY") {
    if (!failure.message.starts_with("Out of memory")) failure.message = shortage_sentence(failure, "", where);
  } else if (failure.node.empty() && failure.op.empty() && !where.empty()) {
    failure.message = where + ": " + failure.message + ".";
  }
  throw EngineError(std::move(failure));
}

Interpreter::Interpreter(Program program, at::Device device) : program_(std::move(program)), device_(device), slots_(static_cast<size_t>(program_.value_count)) {}

std::vector<at::Tensor> Interpreter::run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& weights, bool training, const Observer& observer) {
  // A run that threw left values behind.
  std::fill(slots_.begin(), slots_.end(), at::Tensor());
  training_ = training;
  observer_ = observer ? &observer : nullptr;
  turns_ = 0;
  check_inputs(inputs);
  for (size_t i = 0; i < weights.size(); ++i) slots_[static_cast<size_t>(program_.weights[i].value)] = weights[i];
  std::vector<at::Tensor> outputs = enter(program_.body, inputs);
  be_at(kElsewhere);
  return outputs;
}

void Interpreter::check_inputs(const std::vector<at::Tensor>& inputs) {
  std::unordered_map<std::string, int64_t> symbols;
  for (size_t i = 0; i < program_.inputs.size(); ++i) {
    const Input& input = program_.inputs[i];
    const at::Tensor& tensor = inputs.at(i);
    // What a program made itself has the sizes that it made.
    if (Program::is_feature(input)) continue;
    const auto refuse = [&](const std::string& what) {
      std::string wanted;
      for (const auto& size : input.shape) wanted += (wanted.empty() ? "" : ", ") + (std::holds_alternative<std::string>(size) ? std::get<std::string>(size) : std::to_string(std::get<int64_t>(size)));
      throw EngineError({"DATA_MISMATCH", "The input \"" + input.name + "\" takes " + dtype_name(input.dtype) + " [" + wanted + "] but the data are " + dtype_name(tensor.scalar_type()) + " " + print_shape(tensor.sizes()) + ": " + what + ".", input.node, "", -1, {tensor.sizes().vec()}});
    };
    if (tensor.scalar_type() != input.dtype) refuse("another dtype");
    if (static_cast<size_t>(tensor.dim()) != input.shape.size()) refuse("another number of axes");
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      const int64_t size = tensor.sizes()[axis];
      const auto* symbol = std::get_if<std::string>(&input.shape[axis]);
      const int64_t wanted = symbol ? symbols.try_emplace(*symbol, size).first->second : std::get<int64_t>(input.shape[axis]);
      if (size != wanted) refuse("axis " + std::to_string(axis) + " should be " + std::to_string(wanted));
    }
  }
}

std::vector<at::Tensor> Interpreter::enter(const Block& block, std::vector<at::Tensor> arguments) {
  for (size_t i = 0; i < block.inputs.size(); ++i) slots_[static_cast<size_t>(block.inputs[i])] = std::move(arguments[i]);
  execute(block);
  std::vector<at::Tensor> results;
  results.reserve(block.outputs.size());
  for (const int value : block.outputs) results.push_back(slots_[static_cast<size_t>(value)]);
  for (const int value : block.own_outputs) slots_[static_cast<size_t>(value)].reset();
  return results;
}

void Interpreter::execute(const Block& block) {
  for (const Op& op : block.ops) {
    be_at(op.place);
    switch (op.kind) {
      case Op::Kind::Call: call(op); break;
      case Op::Kind::If: branch(op); break;
      case Op::Kind::While: loop_while(op); break;
      case Op::Kind::Repeat: loop_repeat(op); break;
      case Op::Kind::Switch: route(op); break;
    }
    for (const int value : op.frees) slots_[static_cast<size_t>(value)].reset();
  }
}

int64_t Interpreter::size_of(const SizeOf& size) const {
  return slots_[static_cast<size_t>(size.value)].size(size.axis);
}

void Interpreter::push(const Argument& argument) {
  struct Pusher {
    Interpreter& self;
    void operator()(const c10::IValue& constant) const { self.stack_.push_back(constant); }
    void operator()(const Use& use) const { self.stack_.emplace_back(self.slots_[static_cast<size_t>(use.value)]); }
    void operator()(const UseList& list) const {
      if (list.optional) {
        c10::List<std::optional<at::Tensor>> tensors;
        for (const int value : list.values) tensors.push_back(self.slots_[static_cast<size_t>(value)]);
        self.stack_.emplace_back(std::move(tensors));
      } else {
        c10::List<at::Tensor> tensors;
        for (const int value : list.values) tensors.push_back(self.slots_[static_cast<size_t>(value)]);
        self.stack_.emplace_back(std::move(tensors));
      }
    }
    void operator()(const SizeOf& size) const { self.stack_.emplace_back(self.size_of(size)); }
    void operator()(const IntList& list) const {
      std::vector<int64_t> ints;
      ints.reserve(list.items.size());
      for (const auto& item : list.items) ints.push_back(std::holds_alternative<int64_t>(item) ? std::get<int64_t>(item) : self.size_of(std::get<SizeOf>(item)));
      self.stack_.emplace_back(std::move(ints));
    }
    void operator()(const TrainingFlag&) const { self.stack_.emplace_back(self.training_); }
    void operator()(const RunDevice&) const { self.stack_.emplace_back(self.device_); }
  };
  std::visit(Pusher{*this}, argument);
}

std::vector<at::Tensor> Interpreter::tensors_of(const Op& op) const {
  std::vector<at::Tensor> tensors;
  for (const Argument& argument : op.args) {
    if (const auto* use = std::get_if<Use>(&argument)) tensors.push_back(slots_[static_cast<size_t>(use->value)]);
    if (const auto* list = std::get_if<UseList>(&argument))
      for (const int value : list->values) tensors.push_back(slots_[static_cast<size_t>(value)]);
  }
  return tensors;
}

/// A turn's number is made on the CPU, so that asking for it never waits for the device. Among tensors of the device it joins them.
void Interpreter::join_device() {
  bool is_there = false;
  const auto look = [&](const at::Tensor& tensor) { is_there = is_there || (tensor.defined() && tensor.device() == device_); };
  const auto join = [&](const at::Tensor& tensor) { return tensor.defined() && tensor.device() != device_ ? tensor.to(device_, /*non_blocking=*/true) : tensor; };
  for (const c10::IValue& value : stack_) {
    if (value.isTensor()) look(value.toTensor());
    else if (value.isTensorList())
      for (const at::Tensor& tensor : value.toTensorVector()) look(tensor);
  }
  if (!is_there) return;
  for (c10::IValue& value : stack_) {
    if (value.isTensor()) {
      if (value.toTensor().defined() && value.toTensor().device() != device_) value = join(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<at::Tensor> joined;
      for (const at::Tensor& tensor : value.toTensorVector()) joined.push_back(join(tensor));
      value = std::move(joined);
    }
  }
}

void Interpreter::call(const Op& op) {
  try {
    stack_.clear();
    for (const Argument& argument : op.args) push(argument);
    if (program_.has_repeat && !device_.is_cpu()) join_device();
    if (op.guard) op.guard(stack_);
    op.handle->callBoxed(stack_);

    std::vector<c10::IValue>* results = &stack_;
    std::vector<c10::IValue> listed;
    if (stack_.size() == 1 && stack_[0].isTensorList()) {
      for (const at::Tensor& tensor : stack_[0].toTensorVector()) listed.emplace_back(tensor);
      results = &listed;
    }
    if (results->size() < op.out.size())
      throw EngineError({"OP_FAILED", op.name + " returned " + std::to_string(results->size()) + " tensors where the program takes " + std::to_string(op.out.size()), op.node, op.name, -1, {}});
    for (size_t i = 0; i < op.out.size(); ++i) slots_[static_cast<size_t>(op.out[i])] = std::move((*results)[i]).toTensor();
    // Nothing may outlive its last use on the stack either.
    stack_.clear();
  } catch (...) {
    Failure failure = failure_at(op, "");
    const std::vector<at::Tensor> tensors = tensors_of(op);
    std::string shapes;
    for (const at::Tensor& tensor : tensors) {
      if (!tensor.defined()) continue;
      failure.shapes.push_back(tensor.sizes().vec());
      shapes += (shapes.empty() ? "" : ", ") + print_shape(tensor.sizes());
    }
    if (!shapes.empty()) failure.message += " Its tensors: " + shapes + ".";
    throw EngineError(std::move(failure));
  }
  if (observer_) {
    std::vector<at::Tensor> results;
    for (const int value : op.out) results.push_back(slots_[static_cast<size_t>(value)]);
    (*observer_)(op, tensors_of(op), results);
  }
}

/// Runs what a control operation does itself, and says on which node it failed.
template <typename F>
static auto at_node(const Op& op, const F& f) {
  try {
    return f();
  } catch (...) {
    throw EngineError(failure_at(op, ""));
  }
}

[[noreturn]] static void refuse(const Op& op, const std::string& message, const at::Tensor& tensor) {
  throw EngineError({"OP_FAILED", "\"" + op.node + "\" " + message, op.node, op.name, -1, {tensor.sizes().vec()}});
}

/// Reads the one element that a control operation asks for.
template <typename F>
static auto ask(const Op& op, const at::Tensor& tensor, const char* wanted, const F& f) {
  if (tensor.numel() != 1) refuse(op, std::string("needs ") + wanted + " but receives " + print_shape(tensor.sizes()) + "; reduce it first, for example with a mean.", tensor);
  return at_node(op, f);
}

static bool is_true(const Op& op, const at::Tensor& tensor) {
  return ask(op, tensor, "a condition of one element", [&] { return tensor.item().to<bool>(); });
}

void Interpreter::count_turn(const Op& op) {
  if (++turns_ > kMaxTurns)
    throw EngineError({"LOOP_LIMIT", "The loops of one pass took more than " + std::to_string(kMaxTurns) + " turns in all, the last in \"" + op.node + "\". Lower maxIterations of the loops around one another.", op.node, op.name, -1, {}});
}

void Interpreter::branch(const Op& op) {
  const bool first = op.cond < 0 ? training_ : is_true(op, slots_[static_cast<size_t>(op.cond)]);
  const Block& block = op.blocks[first ? 0 : 1];
  std::vector<at::Tensor> results = enter(block, {});
  for (size_t i = 0; i < op.out.size(); ++i) slots_[static_cast<size_t>(op.out[i])] = std::move(results[i]);
}

void Interpreter::loop_while(const Op& op) {
  std::vector<at::Tensor> carried;
  for (const int value : op.init) carried.push_back(slots_[static_cast<size_t>(value)]);
  for (int64_t turn = 0;; ++turn) {
    if (!is_true(op, enter(op.blocks[0], carried).at(0))) break;
    if (turn == op.max_iterations) {
      if (!op.limit_fails) break;
      throw EngineError({"LOOP_LIMIT", "\"" + op.node + "\" still wanted to go on after " + std::to_string(op.max_iterations) + " turns. Raise its limit, or let it stop there.", op.node, op.name, -1, {}});
    }
    count_turn(op);
    carried = enter(op.blocks[1], std::move(carried));
  }
  for (size_t i = 0; i < op.out.size(); ++i) slots_[static_cast<size_t>(op.out[i])] = std::move(carried[i]);
}

void Interpreter::loop_repeat(const Op& op) {
  int64_t times = op.times;
  if (op.times_value >= 0) {
    const at::Tensor& tensor = slots_[static_cast<size_t>(op.times_value)];
    times = ask(op, tensor, "a number of turns of one element", [&] { return tensor.item().to<int64_t>(); });
  } else if (op.times_size) {
    times = at_node(op, [&] { return size_of(*op.times_size); });
  }
  if (times > op.max_iterations)
    throw EngineError({"LOOP_LIMIT", "\"" + op.node + "\" was asked for " + std::to_string(times) + " turns; its limit is " + std::to_string(op.max_iterations) + ".", op.node, op.name, -1, {}});
  times = std::max<int64_t>(times, 0);
  // Taken apart at once: gradients of slices are then put together at once, not one by one into tensors of full size.
  std::vector<std::vector<at::Tensor>> scanned;
  for (const SizeOf& scan : op.scans) {
    const at::Tensor& whole = slots_[static_cast<size_t>(scan.value)];
    scanned.push_back(at_node(op, [&] { return whole.unbind(scan.axis); }));
    if (static_cast<int64_t>(scanned.back().size()) != times) refuse(op, "takes " + std::to_string(times) + " turns, but what it goes through has " + std::to_string(scanned.back().size()) + " steps.", whole);
  }
  std::vector<std::vector<at::Tensor>> stacked(op.stacks.size(), std::vector<at::Tensor>(static_cast<size_t>(times)));
  std::vector<at::Tensor> carried;
  for (const int value : op.init) carried.push_back(slots_[static_cast<size_t>(value)]);
  for (int64_t turn = 0; turn < times; ++turn) {
    count_turn(op);
    const int64_t step = op.reverse ? times - 1 - turn : turn;
    std::vector<at::Tensor> arguments;
    arguments.reserve(1 + scanned.size() + carried.size());
    arguments.push_back(at::scalar_tensor(step, at::TensorOptions(at::kLong)));
    for (std::vector<at::Tensor>& slices : scanned) arguments.push_back(std::move(slices[static_cast<size_t>(step)]));
    for (at::Tensor& tensor : carried) arguments.push_back(std::move(tensor));
    carried = enter(op.blocks[0], std::move(arguments));
    for (size_t i = 0; i < stacked.size(); ++i) stacked[i][static_cast<size_t>(step)] = std::move(carried[op.init.size() + i]);
    carried.resize(op.init.size());
  }
  for (size_t i = 0; i < carried.size(); ++i) slots_[static_cast<size_t>(op.out[i])] = std::move(carried[i]);
  for (size_t i = 0; i < stacked.size(); ++i) {
    if (times == 0) throw EngineError({"OP_FAILED", "\"" + op.node + "\" took no turn, so there is nothing to stack: it needs one at least.", op.node, op.name, -1, {}});
    slots_[static_cast<size_t>(op.out[op.init.size() + i])] = at_node(op, [&] {
      if (!device_.is_cpu())
        for (at::Tensor& tensor : stacked[i]) tensor = tensor.to(device_);
      return at::stack(stacked[i], op.stacks[i]);
    });
    stacked[i].clear();
  }
}

/// Sends each row of the arguments through the block that its index names, and puts the results back in order.
void Interpreter::route(const Op& op) {
  const at::Tensor& index = slots_[static_cast<size_t>(op.cond)];
  if (index.dim() != 1 || index.scalar_type() != at::kLong) refuse(op, "needs one int64 index for each sample but receives " + std::string(dtype_name(index.scalar_type())) + " " + print_shape(index.sizes()) + ".", index);
  const int64_t count = index.size(0);
  if (count == 0) refuse(op, "has no sample to send anywhere.", index);
  std::vector<at::Tensor> arguments;
  for (const int value : op.init) {
    arguments.push_back(slots_[static_cast<size_t>(value)]);
    const at::Tensor& tensor = arguments.back();
    if (tensor.dim() < 1 || tensor.size(0) != count) refuse(op, "has " + std::to_string(count) + " indices but is given " + print_shape(tensor.sizes()) + ".", tensor);
  }

  const at::Tensor chosen = at_node(op, [&] { return index.to(at::kCPU).contiguous(); });
  const int64_t* choices = chosen.const_data_ptr<int64_t>();
  std::vector<std::vector<int64_t>> rows(op.blocks.size());
  for (int64_t row = 0; row < count; ++row) {
    if (choices[row] < 0 || choices[row] >= static_cast<int64_t>(rows.size()))
      refuse(op, "has cases 0 to " + std::to_string(rows.size() - 1) + ", but the index of sample " + std::to_string(row) + " is " + std::to_string(choices[row]) + ".", index);
    rows[static_cast<size_t>(choices[row])].push_back(row);
  }

  std::vector<std::vector<at::Tensor>> parts(op.out.size());
  std::vector<int64_t> place(static_cast<size_t>(count));
  int64_t placed = 0;
  const auto on_device = [&](const std::vector<int64_t>& numbers) { return at::tensor(numbers, at::kLong).to(device_); };
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    const auto own = static_cast<int64_t>(rows[i].size());
    std::vector<at::Tensor> some = arguments;
    if (own < count) {
      at_node(op, [&] {
        const at::Tensor wanted = on_device(rows[i]);
        for (at::Tensor& tensor : some) tensor = tensor.index_select(0, wanted.to(tensor.device()));
      });
    }
    std::vector<at::Tensor> results = enter(op.blocks[i], std::move(some));
    for (size_t j = 0; j < results.size(); ++j) {
      if (results[j].dim() < 1 || results[j].size(0) != own) refuse(op, "sent " + std::to_string(own) + " samples through case " + std::to_string(i) + ", which gave back " + print_shape(results[j].sizes()) + ".", results[j]);
      parts[j].push_back(std::move(results[j]));
    }
    for (const int64_t row : rows[i]) place[static_cast<size_t>(row)] = placed++;
  }
  at_node(op, [&] {
    const at::Tensor order = on_device(place);
    for (size_t j = 0; j < parts.size(); ++j) {
      const bool is_whole = parts[j].size() == 1;
      slots_[static_cast<size_t>(op.out[j])] = is_whole ? std::move(parts[j][0]) : at::cat(parts[j]).index_select(0, order.to(parts[j][0].device()));
    }
  });
}

} // namespace tensorloom

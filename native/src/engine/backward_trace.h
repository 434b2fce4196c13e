#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "interpreter.h"

namespace tensorloom {

/// Finds out which operator of the program a part of the backward pass belongs to. A pass that is run as usual notes
/// nothing and costs nothing more.
///
/// Autograd numbers its nodes in the order in which a thread makes them (at::sequence_number), so those made while an
/// operator ran are its own.
class BackwardTrace {
 public:
  virtual ~BackwardTrace() = default;
  /// Before a forward pass.
  void clear() { ends_.clear(); }
  /// After each operator of a forward pass.
  void note(const Op& op);
  /// Looks at every autograd node behind `loss` as the backward pass comes to it. The trace must outlive the pass.
  void watch(const at::Tensor& loss);

  /// Called as the backward pass goes; null: no operator of the program's.
  virtual void begin(const Op* op) = 0;
  virtual void end(const Op* op, const std::vector<at::Tensor>& given, const std::vector<at::Tensor>& made) = 0;
  const Op* op_of(uint64_t sequence_number) const;

 private:
  /// For each operator, in the order they ran: the number that the next autograd node would have had when it was done.
  std::vector<std::pair<uint64_t, const Op*>> ends_;
};

/// A pass that failed, or whose gradients are not finite, is run again under this trace.
class FaultTrace final : public BackwardTrace {
 public:
  /// Give it to Interpreter::run for the forward pass.
  Observer observer();

  /// The operator whose backward began last: where a pass threw, the one that threw. Null: none of the program's.
  const Op* last_begun() const { return last_begun_; }
  /// The first operator whose backward was given finite gradients and made some that are not.
  const Op* first_bad() const { return first_bad_; }
  /// The shapes of what it was given.
  const std::vector<std::vector<int64_t>>& shapes() const { return shapes_; }

  void begin(const Op* op) override { last_begun_ = op; }
  void end(const Op* op, const std::vector<at::Tensor>& given, const std::vector<at::Tensor>& made) override;

 private:
  const Op* last_begun_ = nullptr;
  const Op* first_bad_ = nullptr;
  std::vector<std::vector<int64_t>> shapes_;
};

} // namespace tensorloom

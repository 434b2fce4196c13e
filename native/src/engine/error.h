#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace tensorloom {

/// Why something ended badly, as `Failure` in core/training/events.ts. Codes are stable; sentences may improve.
struct Failure {
  std::string code;
  std::string message;
  std::string node;                         ///< Canvas node; empty where none is to blame.
  std::string op;                           ///< ATen operator; empty outside operators.
  int64_t step = -1;                        ///< Optimizer step, the first is 1; -1 outside training.
  std::vector<std::vector<int64_t>> shapes; ///< Shapes of the tensors that met.
  /// Where memory ran out: what was asked for, what that would have made with what was held, and what there may be. -1: not known.
  int64_t asked_bytes = -1, needed_bytes = -1, limit_bytes = -1;

  std::string to_json() const;
};

/// The only exception that leaves the engine.
class EngineError : public std::exception {
 public:
  explicit EngineError(Failure failure) : failure(std::move(failure)) {}
  EngineError(std::string code, std::string message, std::string node = "")
      : failure{std::move(code), std::move(message), std::move(node), "", -1, {}} {}
  const char* what() const noexcept override { return failure.message.c_str(); }

  Failure failure;
};

} // namespace tensorloom

#pragma once

#include <optional>
#include <set>
#include <string>

#include "optimizer.h"
#include "spec.h"
#include "tensors.h"

namespace tensorloom {

/// The training loss of a run on one batch: of its first step, and the lowest since.
struct OneBatchState {
  double first, lowest;
};

/// Where a run stands between two steps.
struct Position {
  int64_t step = 0;     ///< Optimizer steps done.
  int64_t epoch = 0;    ///< Epochs wholly done, their evaluation too.
  int64_t in_epoch = 0; ///< Optimizer steps done in the epoch under way.
  int64_t elapsed_ms = 0;
  std::optional<PlateauState> plateau;
  std::optional<EarlyStoppingState> early_stopping;
  std::optional<OneBatchState> one_batch; ///< None before the first step, or where every step takes rows of its own.
  std::set<std::string> breaks; ///< Nodes of the breakpoints that hold.
  std::optional<Turned> turned; ///< None where every setting is as it was at the start.
};

/// Writes all that decides the rest of a run: weights by name, so that the file is one of weights too; `state` by its own names,
/// that of the optimizer under `optimizer/`; random generators under `random/`; the position in the metadata.
WrittenFile save_checkpoint(const std::string& path, const TrainSpec& spec, at::Device device, const std::vector<at::Tensor>& weights, NamedTensors state, const Position& position);

/// Reads a position and restores the random generators; weights and optimizer state are the caller's to take from `saved`.
/// @throws EngineError CHECKPOINT_CORRUPT, or DATA_MISMATCH where the run now cuts its batches differently.
Position restore_position(const Safetensors& saved, const TrainSpec& spec, at::Device device);

} // namespace tensorloom

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "breakpoints.h"
#include "early_stopping.h"
#include "generate.h"
#include "knobs.h"
#include "look.h"
#include "optimizer.h"
#include "plateau.h"
#include "program.h"

namespace tensorloom {

struct Metric {
  std::string output;
  /// Sums tensors over batches; otherwise the mean weighted by rows.
  bool sums;
  bool only_validation;
};

/// How long each row of a split is: int64 [rows], and the inputs that are cut to the longest row of each batch.
struct Lengths {
  std::string file;
  std::set<std::string> crop;
};

/// Rows that lie within one another: row r is `length` entries from entry `first + r * stride` on.
struct Window {
  int64_t first, stride, length;
};

/// Files of one split by program input.
struct Split {
  std::map<std::string, std::string> files;
  /// Of those inputs whose rows are windows over their file.
  std::map<std::string, Window> windows;
  int64_t rows;
  std::optional<Lengths> lengths;
};

struct GradClip {
  bool by_norm;
  double max;
};

/// One of several optimizers of a run. `loss` is one of the outputs that every step gives.
struct FurtherOptimizer {
  std::string loss;
  std::set<std::string> weights;
  OptimizerOptions options;
  double lr_factor; ///< Its learning rate, as a share of the run's.
};

/// The frozen order that a run carries out. The counterpart of core/training/spec.ts.
struct TrainSpec {
  Program program;
  std::vector<Metric> metrics;
  Split train, validation;
  OptimizerOptions optimizer;
  /// Each takes its own step, by its own loss on its own weights, before the one above, which has the rest.
  std::vector<FurtherOptimizer> further;
  double lr;
  /// Factors of `lr`, one per optimizer step; the last holds on. Empty: constant.
  std::vector<double> lr_factors;
  /// Takes the place of factors: the loss of each evaluation decides.
  std::optional<PlateauOptions> plateau;
  /// Weights that learn at another pace: how many times the learning rate, and from which epoch on.
  struct Pace {
    double scale = 1;
    int64_t from_epoch = 0;
  };
  std::map<std::string, Pace> paces;
  /// Values of the program that are computed once for each row.
  std::vector<int> features;
  int64_t batch_size, epochs;
  std::optional<EarlyStopping> early_stopping;
  bool shuffle, drop_last;
  /// Every step takes the same rows, those of the first.
  bool one_batch;
  /// Rows of like length share a batch.
  bool bucketing;
  uint64_t seed;
  bool cuda, bf16, channels_last;
  std::optional<GradClip> grad_clip;
  std::optional<double> ema_decay; ///< None: the weights that are evaluated are those that are trained.
  int64_t accumulate;
  int threads;
  std::string checkpoint_folder; ///< Empty: none.
  int64_t checkpoint_every_ms = 0;
  std::string resume_from, start_from; ///< Empty: none.
  std::vector<int64_t> sample_rows;
  std::optional<Generation> generate;
  /// One output and the rows of which an evaluation says it.
  struct Points {
    std::string output;
    std::vector<int64_t> rows;
  };
  std::optional<Points> points;
  /// A square of side × side rows of the program's input `x`, evenly between two corners, of which an evaluation says `y`.
  struct Lattice {
    std::string input;
    double low[2], high[2];
    int64_t side;
  };
  std::optional<Lattice> lattice;
  std::optional<LookOptions> looks; ///< None: no step is looked at.
  std::vector<Breakpoint> breakpoints; ///< Where the run pauses by itself.
  bool histograms = false; ///< Epoch ends say how weights, gradients and activations are spread.
  size_t memory_limit_bytes = 0; ///< What CPU tensors may take together; 0: no limit.
  bool follows_backward = false; ///< Tells of the backward pass too at which node it is, which costs some microseconds each.
  int place_file = -1; ///< Where to write which node is at work; below 0: nowhere.
  /// Settings that were changed when the run was here before, and those that wait.
  std::vector<Knob> knobs;

  /// @throws EngineError PROGRAM_INVALID or OP_NOT_ALLOWED saying where.
  static TrainSpec parse(std::string_view json);

  /// Learning rate of an optimizer step, 0-based.
  double lr_at(int64_t step) const;
};

} // namespace tensorloom

#pragma once

#include <vector>

#include "batches.h"
#include "control.h"
#include "events.h"
#include "spec.h"

namespace tensorloom {

/// Lets every row of a run pass once through the part of its program that does not learn, and fills the batches' rows with what that says
/// (`spec.features`). Leaves them unfilled where the run is cancelled meanwhile.
void compute_features(const TrainSpec& spec, const std::vector<at::Tensor>& weights, at::Device device, Batches& train, Batches& validation, const Control& control, EventLog& events);

} // namespace tensorloom

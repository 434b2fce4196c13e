#pragma once

#include "engine.h"
#include "spec.h"

namespace tensorloom {

TrainResult run_training(TrainSpec spec, const OnEvents& on_events, Control& control);

/// @throws EngineError DEVICE_MISSING
at::Device pick_device(bool cuda);

} // namespace tensorloom

#pragma once

#include <cstddef>

namespace tensorloom {

/// From now on a tensor larger than what the machine (or its cgroup) has left is refused with c10::OutOfMemoryError.
/// Linux would promise such memory and kill the process when it is touched. Safe to call more than once.
void install_memory_guard();

/// Refuses single tensors above this size as well; fuzzing sets it so that hostile sizes cost no time.
void set_tensor_limit(size_t bytes);

} // namespace tensorloom

#pragma once

namespace tensorloom {

/// From now on a tensor larger than what the machine (or its cgroup) has left is refused with c10::OutOfMemoryError.
/// Linux would promise such memory and kill the process when it is touched. Safe to call more than once.
void install_memory_guard();

} // namespace tensorloom

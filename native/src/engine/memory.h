#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tensorloom {

/// From now on CPU tensors are counted, and one that is larger than what the limit, the machine or its cgroup has left is
/// refused with c10::OutOfMemoryError. Linux would promise such memory and kill the process when it is touched. Safe to
/// call more than once.
void install_memory_guard();

/// Refuses single tensors above this size as well; fuzzing sets it so that hostile sizes cost no time.
void set_tensor_limit(size_t bytes);

/// What all CPU tensors may take together while this lives. 0: no limit.
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t bytes);
  ~MemoryLimit();
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
};

/// Bytes of CPU tensors now, and the most of them since the peak was last reset.
size_t held_bytes();
size_t peak_bytes();
void reset_peak();

/// What was asked for when memory ran out, and what could not be gone beyond. Of what is not known there is -1.
struct Shortage {
  int64_t asked = -1, held = -1, limit = -1;
};

/// The refusal that happened last, once; where it was not the guard's own, what libtorch's sentence says of it.
Shortage take_shortage(const std::string& sentence);

/// `512 MiB`, `1.4 GiB`
std::string print_bytes(int64_t bytes);

} // namespace tensorloom

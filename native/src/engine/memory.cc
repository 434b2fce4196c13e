#include "memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

namespace tensorloom {
namespace {

/// Below this, asking the system costs more than it saves.
constexpr size_t kAskFromBytes = 32 << 20;

/// Reads a file that holds one number; the largest number where it says `max` or is absent.
uint64_t read_number(const char* path) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : std::numeric_limits<uint64_t>::max();
}

std::atomic<size_t> tensor_limit{std::numeric_limits<size_t>::max()};

uint64_t available_bytes() {
  uint64_t available = std::numeric_limits<uint64_t>::max();
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);)
    if (line.starts_with("MemAvailable:")) available = std::strtoull(line.c_str() + std::strlen("MemAvailable:"), nullptr, 10) * 1024;
  const uint64_t limit = read_number("/sys/fs/cgroup/memory.max");
  if (limit != std::numeric_limits<uint64_t>::max()) {
    const uint64_t used = read_number("/sys/fs/cgroup/memory.current");
    available = std::min(available, limit > used ? limit - used : 0);
  }
  return available;
}

class GuardedAllocator final : public c10::Allocator {
 public:
  explicit GuardedAllocator(c10::Allocator* base) : base_(base) {}

  c10::DataPtr allocate(size_t size) override {
    if (size > tensor_limit) TORCH_CHECK_WITH(OutOfMemoryError, false, "a tensor of ", size >> 20, " MiB is above the limit of ", tensor_limit >> 20, " MiB");
    if (size >= kAskFromBytes) {
      const uint64_t available = available_bytes();
      // A tenth stays for everything that is not a tensor.
      if (size > available / 10 * 9)
        TORCH_CHECK_WITH(OutOfMemoryError, false, "a tensor of ", size >> 20, " MiB does not fit: the machine has ", available >> 20, " MiB of memory left");
    }
    return base_->allocate(size);
  }
  c10::DeleterFnPtr raw_deleter() const override { return base_->raw_deleter(); }
  void copy_data(void* destination, const void* source, size_t count) const override { base_->copy_data(destination, source, count); }

 private:
  c10::Allocator* base_;
};

} // namespace

void install_memory_guard() {
  // Lives as long as the process: tensors hold its deleter until the very end.
  static GuardedAllocator* guard = [] {
    auto* allocator = new GuardedAllocator(c10::GetDefaultCPUAllocator());
    c10::SetCPUAllocator(allocator, 1);
    return allocator;
  }();
  (void)guard;
}

void set_tensor_limit(size_t bytes) { tensor_limit = bytes; }

} // namespace tensorloom

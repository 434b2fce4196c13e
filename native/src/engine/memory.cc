#include "memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <mutex>
#include <sstream>
#include <utility>

namespace tensorloom {
namespace {

/// Below this, asking the system costs more than it saves.
constexpr size_t kAskFromBytes = 32 << 20;
/// In front of each tensor stands its size; as wide as tensors are aligned, so that they stay aligned.
constexpr size_t kHeaderBytes = c10::gAlignment;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

std::atomic<size_t> tensor_limit{kNoLimit}, memory_limit{kNoLimit}, held{0}, peak{0};

std::mutex shortage_mutex;
std::optional<Shortage> last_shortage;

/// Reads a file that holds one number; the largest number where it says `max` or is absent.
uint64_t read_number(const char* path) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : std::numeric_limits<uint64_t>::max();
}

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

[[noreturn]] void refuse(size_t asked, size_t held_now, size_t limit, const std::string& why) {
  {
    const std::lock_guard<std::mutex> lock(shortage_mutex);
    last_shortage = Shortage{static_cast<int64_t>(asked), static_cast<int64_t>(held_now), static_cast<int64_t>(limit)};
  }
  TORCH_CHECK_WITH(OutOfMemoryError, false, "a tensor of ", print_bytes(static_cast<int64_t>(asked)), " does not fit: ", why);
  std::abort();
}

class GuardedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    if (size == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    if (size > tensor_limit) refuse(size, 0, tensor_limit, "the limit for one is " + print_bytes(static_cast<int64_t>(tensor_limit.load())));
    const size_t now = held.fetch_add(size) + size;
    const auto give_back = [&] { held.fetch_sub(size); };
    if (now > memory_limit) {
      give_back();
      refuse(size, now - size, memory_limit, "tensors hold " + print_bytes(static_cast<int64_t>(now - size)) + " of the " + print_bytes(static_cast<int64_t>(memory_limit.load())) + " that they may take together");
    }
    if (size >= kAskFromBytes) {
      const uint64_t available = available_bytes();
      // A tenth stays for everything that is not a tensor.
      if (size > available / 10 * 9) {
        give_back();
        refuse(size, now - size, now - size + available, "the machine has " + print_bytes(static_cast<int64_t>(available)) + " of memory left");
      }
    }
    char* start = nullptr;
    try {
      start = static_cast<char*>(c10::alloc_cpu(size + kHeaderBytes));
    } catch (...) {
      give_back();
      throw;
    }
    for (size_t most = peak; now > most && !peak.compare_exchange_weak(most, now);) {}
    std::memcpy(start, &size, sizeof size);
    char* data = start + kHeaderBytes;
    return {data, data, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* destination, const void* source, size_t count) const override { default_copy_data(destination, source, count); }

 private:
  static void release(void* data) {
    if (data == nullptr) return;
    char* start = static_cast<char*>(data) - kHeaderBytes;
    size_t size = 0;
    std::memcpy(&size, start, sizeof size);
    held.fetch_sub(size);
    c10::free_cpu(start);
  }
};

/// The number of bytes in `tried to allocate 2.50 GiB` or `tried to allocate 123 bytes`; -1 where nothing is said.
int64_t bytes_after(const std::string& sentence, const char* words) {
  const size_t at = sentence.find(words);
  if (at == std::string::npos) return -1;
  std::istringstream rest(sentence.substr(at + std::strlen(words)));
  double number = 0;
  std::string unit;
  if (!(rest >> number >> unit)) return -1;
  const double factor = unit.starts_with("Ki") ? 1024. : unit.starts_with("Mi") ? 1048576. : unit.starts_with("Gi") ? 1073741824. : 1.;
  return static_cast<int64_t>(number * factor);
}

} // namespace

void install_memory_guard() {
  // Lives as long as the process: tensors hold its deleter until the very end.
  static GuardedAllocator* guard = [] {
    auto* allocator = new GuardedAllocator();
    c10::SetCPUAllocator(allocator, 1);
    return allocator;
  }();
  (void)guard;
}

void set_tensor_limit(size_t bytes) { tensor_limit = bytes; }

MemoryLimit::MemoryLimit(size_t bytes) { memory_limit = bytes == 0 ? kNoLimit : bytes; }
MemoryLimit::~MemoryLimit() { memory_limit = kNoLimit; }

size_t held_bytes() { return held; }
size_t peak_bytes() { return peak; }
void reset_peak() { peak = held.load(); }

Shortage take_shortage(const std::string& sentence) {
  {
    const std::lock_guard<std::mutex> lock(shortage_mutex);
    const std::optional<Shortage> own = std::exchange(last_shortage, std::nullopt);
    if (own && sentence.starts_with("a tensor of ")) return *own;
  }
  // "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 139.81 GiB of which 1.02 GiB is free."
  const int64_t asked = bytes_after(sentence, "ried to allocate ");
  const int64_t limit = bytes_after(sentence, "total capacity of ");
  const int64_t free = bytes_after(sentence, "of which ");
  return {asked, limit >= 0 && free >= 0 ? limit - free : -1, limit};
}

std::string print_bytes(int64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1023.5 && unit < 4; ++unit) value /= 1024;
  char text[48];
  std::snprintf(text, sizeof text, unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return text;
}

} // namespace tensorloom

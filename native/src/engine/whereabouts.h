#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace tensorloom {

/// Which part of a training is under way. Above 0: the forward pass, at the node of that number, from 1 on; below 0 the backward pass, of
/// node 1 at -1, and of no known node at kBackward.
constexpr int32_t kElsewhere = 0, kBackward = -1'000'000'000, kOptimizer = 1'000'000'000;

inline std::atomic<int32_t> nowhere{kElsewhere};
inline std::atomic<int32_t>* place = &nowhere;

/// One store to memory: cheap enough for each instruction.
inline void be_at(int32_t where) { place->store(where, std::memory_order_relaxed); }

/// While this lives, `be_at` writes to a file that another process holds too and can read when this one has crashed: four bytes, and behind
/// them the nodes as JSON. Where that cannot be, nothing is told, and nothing else is different.
class Whereabouts {
 public:
  /// `file`: an open file of its own, to be written over. Below 0: none.
  Whereabouts(int file, const std::vector<std::string>& nodes);
  ~Whereabouts();
  Whereabouts(const Whereabouts&) = delete;
  Whereabouts& operator=(const Whereabouts&) = delete;

 private:
  void* mapped_ = nullptr;
};

} // namespace tensorloom

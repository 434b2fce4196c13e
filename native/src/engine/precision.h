#pragma once

#include <c10/core/DeviceType.h>

namespace tensorloom {

/// While it lives, operators of this thread run in bfloat16 where autocast deems it safe, as under torch.autocast.
class AutocastGuard {
 public:
  AutocastGuard(bool enabled, c10::DeviceType device);
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;
  ~AutocastGuard();

 private:
  bool enabled_;
  c10::DeviceType device_;
};

} // namespace tensorloom

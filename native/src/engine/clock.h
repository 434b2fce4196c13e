#pragma once

#include <chrono>
#include <cstdint>

namespace tensorloom {

using Clock = std::chrono::steady_clock;

inline int64_t ms_since(Clock::time_point start) { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count(); }
/// With the parts of a millisecond.
inline double exact_ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

} // namespace tensorloom

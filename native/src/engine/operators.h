#pragma once

#include <span>
#include <string_view>

namespace tensorloom {

/// The operators a program may call: pure tensor arithmetic, no files, no shared memory, nothing that writes to its
/// arguments. In alphabetical order. A test holds this list equal to what the layers lower to.
std::span<const std::string_view> allowed_operators();

bool is_allowed(std::string_view name);

/// Whether a call draws random numbers while training.
bool is_random(std::string_view name);

} // namespace tensorloom

#pragma once

#include <span>
#include <string_view>

namespace tensorloom {

/// The operators a program may call: tensor arithmetic, no files, no shared memory, no printing. In alphabetical order.
/// A test holds this list equal to what core lowers to.
std::span<const std::string_view> allowed_operators();

bool is_allowed(std::string_view name);

/// Whether a call draws random numbers while training.
bool is_random(std::string_view name);

/// Whether a call writes to an argument (its running averages) without its schema saying so.
bool writes_silently(std::string_view name, size_t argument);

} // namespace tensorloom

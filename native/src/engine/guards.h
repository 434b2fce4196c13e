#pragma once

#include <ATen/core/ivalue.h>

#include <string_view>
#include <vector>

namespace tensorloom {

/// Checks the arguments of one call. @throws c10::Error
using Guard = void (*)(const std::vector<c10::IValue>& arguments);

/// Some kernels trust their caller, which in Python is a module that has checked first: with other shapes they read and
/// write past the end of memory. Their checks are here. Null for all others.
Guard guard_of(std::string_view op_name);

} // namespace tensorloom

#pragma once

#include <string>

namespace tensorloom {

/// Tells one build of the engine from another: a hash over its sources, compiler and libtorch, written by native/build.mjs.
std::string build_id();

} // namespace tensorloom

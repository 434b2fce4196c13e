#pragma once

#include <string>
#include <vector>

namespace tensorloom::test {

/// Where a numerical check runs, and how closely it must agree with the CPU.
struct Where {
  bool cuda = false;
};

/// Every check of the engine that needs no other implementation. @return how many failed.
int self_check(Where where);

/// Reads `count` damaged programs, runs those that still read, and must survive them all.
int fuzz(int count, unsigned seed);

/// Runs specs on synthetic data for 50 steps on the CPU and on the GPU; their losses must agree.
int compare_devices(const std::vector<std::string>& specs);

/// Prints one JSON line with samples per second for each spec, on synthetic data.
int bench(const std::vector<std::string>& specs, Where where, double seconds);

/// Prints one JSON line for each spec of a network that is also written out by hand: what a training step costs in the
/// interpreter and by hand, taking turns. @return how many differ in a loss.
int overhead(const std::vector<std::string>& specs, int threads);

} // namespace tensorloom::test

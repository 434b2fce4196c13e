#pragma once

#include <string>

#include "../engine/spec.h"

namespace tensorloom::test {

/// A folder of its own under the system's temporary one, gone with this.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A spec for one of `kPrograms` with plain settings: SGD, batches of 16, one epoch.
TrainSpec plain_spec(const char* program_json);

/// Puts `rows` rows of made-up data in the place of a spec's own: normal numbers, bytes, and classes 0 to 3 that follow
/// from the sign of two of them. Takes checkpoints and resuming out.
void use_synthetic_data(TrainSpec& spec, const std::string& folder, int64_t rows);

/// Losses of every step of a run.
std::vector<double> losses_of(TrainSpec spec);

} // namespace tensorloom::test

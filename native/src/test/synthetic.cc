#include "synthetic.h"

#include <ATen/ops/empty.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "../engine/json.h"
#include "../engine/trainer.h"

namespace tensorloom::test {
namespace {

void write_npy(const std::string& path, const at::Tensor& tensor) {
  std::string shape;
  for (const int64_t size : tensor.sizes()) shape += std::to_string(size) + ",";
  const char* descr = tensor.scalar_type() == at::kFloat ? "<f4" : tensor.scalar_type() == at::kLong ? "<i8" : "|u1";
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const std::array<char, 2> length{static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  file.write("\x93NUMPY\x01\x00", 8).write(length.data(), 2) << header;
  file.write(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
}

} // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "engine-test-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw EngineError("INTERNAL", "Cannot make a temporary folder.");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TrainSpec plain_spec(const char* program_json) {
  return TrainSpec::parse(std::string(R"({"version":1,"program":)") + program_json +
                          R"(,"metrics":[],"data":{"train":{"arrays":{"x":{"file":""},"target":{"file":""}},"rows":1},"validation":{"arrays":{"x":{"file":""},"target":{"file":""}},"rows":1}},
    "optimizer":{"kind":"SGD","momentum":0.9,"dampening":0,"weightDecay":0,"nesterov":false},"lr":{"base":0.05,"schedule":{"kind":"constant"}},"batchSize":16,"epochs":1,"shuffle":true,"dropLast":false,"seed":3,
    "device":"cpu","precision":"float32","channelsLast":false,"gradClip":null,"accumulate":1,"threads":0,"checkpoint":null,"resumeFrom":null,"startFrom":null,"sampleRows":[]})");
}

void use_synthetic_data(TrainSpec& spec, const std::string& folder, int64_t rows) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> hints(static_cast<size_t>(rows));
  for (float& hint : hints) hint = normal(random);
  for (const Input& input : spec.program.inputs) {
    std::vector<int64_t> shape{rows};
    for (size_t axis = 1; axis < input.shape.size(); ++axis) shape.push_back(std::holds_alternative<std::string>(input.shape[axis]) ? 16 : std::get<int64_t>(input.shape[axis]));
    const at::Tensor tensor = at::empty(shape, at::TensorOptions(input.dtype));
    const int64_t per_row = tensor.numel() / rows;
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      const float hint = hints[static_cast<size_t>(i / per_row)];
      const float value = normal(random) + hint;
      if (input.dtype == at::kFloat) tensor.mutable_data_ptr<float>()[i] = value;
      else if (input.dtype == at::kByte) tensor.mutable_data_ptr<uint8_t>()[i] = static_cast<uint8_t>(std::fmin(255, std::fabs(value) * 60));
      else tensor.mutable_data_ptr<int64_t>()[i] = (input.name == "target" ? hint : value) < 0 ? (hint < -0.7F ? 0 : 1) : (hint < 0.7F ? 2 : 3);
    }
    const std::string path = folder + "/" + input.name + ".npy";
    write_npy(path, tensor);
    spec.train.files[input.name] = spec.validation.files[input.name] = path;
  }
  spec.train.rows = spec.validation.rows = rows;
  spec.checkpoint_folder = spec.resume_from = spec.start_from = "";
  spec.sample_rows.clear();
}

std::vector<double> losses_of(TrainSpec spec) {
  std::vector<double> losses;
  Control control;
  run_training(std::move(spec), [&](const std::string& events) {
    const Json json = Json::parse(events, "INTERNAL");
    for (const Json& event : std::get<Json::Array>(json.value)) {
      const Json* key = event.find("key");
      if (!key || std::get<std::string>(key->value) != "train/loss") continue;
      for (const Json& value : std::get<Json::Array>(event.find("values")->value)) losses.push_back(value.is_null() ? std::nan("") : std::get<double>(value.value));
    }
  }, control);
  return losses;
}

} // namespace tensorloom::test

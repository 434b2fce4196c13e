#include "spec.h"

#include <algorithm>

#include "error.h"

namespace tensorloom {
namespace {

constexpr int64_t kMost = 9007199254740991;

Split read_split(const JsonPlace& place, const Program& program) {
  place.fields({"arrays", "rows", "lengths?"});
  Split split{{}, {}, place.at("rows").integer(1, kMost), std::nullopt};
  const JsonPlace arrays = place.at("arrays");
  for (const Input& input : program.inputs) {
    if (!arrays.has(input.name)) arrays.fail("no array for the program's input \"" + input.name + "\"");
    const JsonPlace array = arrays.at(input.name);
    split.files[input.name] = array.fields({"file", "window?"}).at("file").text();
    if (!array.has("window")) continue;
    const JsonPlace window = array.at("window").fields({"first", "stride", "length"});
    split.windows[input.name] = {window.at("first").integer(0, kMost), window.at("stride").integer(1, kMost), window.at("length").integer(1, kMost)};
  }
  if (const auto* members = std::get_if<Json::Object>(&arrays.json().value); members && members->size() != split.files.size()) arrays.fail("an array that is no input of the program");
  if (!place.has("lengths")) return split;
  const JsonPlace lengths = place.at("lengths").fields({"file", "crop"});
  split.lengths = Lengths{lengths.at("file").text(), {}};
  const JsonPlace crop = lengths.at("crop");
  for (size_t i = 0; i < crop.size(100); ++i) {
    const std::string& name = crop.at(i).text();
    if (!split.files.contains(name)) crop.at(i).fail("the program has no input \"" + name + "\"");
    split.lengths->crop.insert(name);
  }
  return split;
}

EarlyStopping read_early_stopping(const JsonPlace& place, const std::vector<Metric>& metrics) {
  place.fields({"output", "better", "patience", "minDelta"});
  EarlyStopping options{place.at("output").text(), place.at("better").choice({"lower", "higher"}) == 1, place.at("patience").integer(1, kMost), place.at("minDelta").number(0, 1e30)};
  const bool is_mean = std::any_of(metrics.begin(), metrics.end(), [&](const Metric& metric) { return metric.output == options.output && !metric.sums; });
  if (options.output != "loss" && !is_mean) place.at("output").fail("expected \"loss\" or a metric that is a mean");
  return options;
}

Generation read_generation(const JsonPlace& place, const Program& program) {
  place.fields({"input", "output", "prompt", "tokens", "context", "temperature", "everyEpochs", "without"});
  Generation how{place.at("input").text(), place.at("output").text(), place.at("prompt").integers(0, kMost), place.at("tokens").integer(1, 4096), place.at("context").integer(1, kMost), place.at("temperature").number(0, 100), place.at("everyEpochs").integer(1, kMost), place.at("without").integers(0, kMost)};
  const auto input = std::find_if(program.inputs.begin(), program.inputs.end(), [&](const Input& one) { return one.name == how.input; });
  if (input == program.inputs.end() || input->dtype != c10::kLong || input->shape.size() != 2) place.at("input").fail("the program has no input \"" + how.input + "\" of tokens, int64 [B, T]");
  if (!program.has_output(how.output)) place.at("output").fail("the program has no output \"" + how.output + "\"");
  if (how.prompt.empty() || how.prompt.size() > 4096) place.at("prompt").fail("expected 1 to 4096 tokens");
  return how;
}

std::vector<FurtherOptimizer> read_further(const JsonPlace& place, const TrainSpec& spec) {
  std::vector<FurtherOptimizer> further;
  std::set<std::string> taken;
  for (size_t i = 0; i < place.size(16); ++i) {
    const JsonPlace item = place.at(i);
    item.fields({"loss", "weights", "optimizer", "lrFactor"});
    FurtherOptimizer one{item.at("loss").text(), {}, read_optimizer(item.at("optimizer")), item.at("lrFactor").number(0, 1e30)};
    if (std::none_of(spec.metrics.begin(), spec.metrics.end(), [&](const Metric& metric) { return metric.output == one.loss && !metric.sums && !metric.only_validation; })) item.at("loss").fail("expected a metric that is a mean and taken at every step");
    if (std::holds_alternative<LbfgsOptions>(one.options)) item.at("optimizer").fail("LBFGS cannot take turns with others");
    const JsonPlace weights = item.at("weights");
    for (size_t j = 0; j < weights.size(100'000); ++j) {
      const std::string& name = weights.at(j).text();
      if (std::none_of(spec.program.weights.begin(), spec.program.weights.end(), [&](const Weight& weight) { return weight.name == name && weight.trainable; })) weights.at(j).fail("no trainable weight of the program");
      if (!taken.insert(name).second) weights.at(j).fail("another optimizer has this weight");
      one.weights.insert(name);
    }
    if (one.weights.empty()) weights.fail("expected at least one weight");
    further.push_back(std::move(one));
  }
  return further;
}

std::map<std::string, TrainSpec::Pace> read_paces(const JsonPlace& place, const Program& program) {
  std::map<std::string, TrainSpec::Pace> paces;
  for (size_t i = 0; i < place.size(10'000); ++i) {
    const JsonPlace item = place.at(i).fields({"weights", "scale", "fromEpoch"});
    const TrainSpec::Pace pace{item.at("scale").number(0, 1e6), item.at("fromEpoch").integer(0, kMost)};
    const JsonPlace names = item.at("weights");
    for (size_t j = 0; j < names.size(1'000'000); ++j) {
      const std::string& name = names.at(j).text();
      if (std::none_of(program.weights.begin(), program.weights.end(), [&](const Weight& weight) { return weight.trainable && weight.name == name; })) names.at(j).fail("the program has no weight \"" + name + "\" to train");
      if (!paces.emplace(name, pace).second) names.at(j).fail("\"" + name + "\" has a pace already");
    }
  }
  return paces;
}

std::string text_or_empty(const JsonPlace& place) { return place.json().is_null() ? "" : place.text(); }

} // namespace

TrainSpec TrainSpec::parse(std::string_view text) {
  const Json json = Json::parse(text, "PROGRAM_INVALID");
  const JsonPlace root(json, "", "PROGRAM_INVALID");
  root.fields({"version", "program", "metrics", "data", "optimizer", "furtherOptimizers?", "lr", "paces?", "features?", "batchSize", "epochs", "earlyStopping?", "shuffle", "bucketing?", "dropLast", "oneBatch?", "seed", "device", "precision", "channelsLast", "gradClip", "ema?", "accumulate", "threads", "checkpoint", "resumeFrom", "startFrom", "sampleRows", "generate?", "points?", "lattice?", "looks?", "breakpoints?", "histograms?", "memoryLimitBytes?", "placeFile?", "followsBackward?", "knobs?"});
  if (root.at("version").integer(0, kMost) != 1) root.at("version").fail("this engine reads specs of version 1");
  TrainSpec spec;
  spec.program = Program::read(root.at("program"));
  if (!spec.program.has_output("loss")) root.at("program").fail("a program to train has an output named \"loss\"");

  const JsonPlace metrics = root.at("metrics");
  for (size_t i = 0; i < metrics.size(100); ++i) {
    const JsonPlace item = metrics.at(i);
    item.fields({"output", "reduce", "when"});
    const std::string& output = item.at("output").text();
    if (!spec.program.has_output(output)) item.at("output").fail("the program has no output \"" + output + "\"");
    spec.metrics.push_back({output, item.at("reduce").choice({"mean", "sum"}) == 1, item.at("when").choice({"always", "validation"}) == 1});
  }

  const JsonPlace data = root.at("data");
  data.fields({"train", "validation"});
  spec.train = read_split(data.at("train"), spec.program);
  spec.validation = read_split(data.at("validation"), spec.program);
  spec.optimizer = read_optimizer(root.at("optimizer"));

  if (root.has("furtherOptimizers")) spec.further = read_further(root.at("furtherOptimizers"), spec);

  const JsonPlace lr = root.at("lr");
  lr.fields({"base", "schedule"});
  spec.lr = lr.at("base").number(0, 1e30);
  const JsonPlace schedule = lr.at("schedule");
  const size_t kind = schedule.at("kind").choice({"constant", "table", "plateau"});
  if (kind == 0) {
    schedule.fields({"kind"});
  } else if (kind == 2) {
    schedule.fields({"kind", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"});
    const auto number = [&](const char* key) { return schedule.at(key).number(0, 1e30); };
    spec.plateau = PlateauOptions{schedule.at("factor").number(0, 1), schedule.at("patience").integer(0, kMost), number("threshold"), schedule.at("thresholdMode").choice({"rel", "abs"}) == 0, schedule.at("cooldown").integer(0, kMost), number("minLr"), number("eps")};
  } else {
    schedule.fields({"kind", "factors"});
    spec.lr_factors = schedule.at("factors").numbers();
    if (spec.lr_factors.empty()) schedule.at("factors").fail("a table needs at least one factor");
  }

  if (root.has("paces")) spec.paces = read_paces(root.at("paces"), spec.program);
  if (root.has("features")) {
    if (spec.train.lengths) root.at("features").fail("rows of different lengths have no features of one size");
    const JsonPlace features = root.at("features");
    for (size_t i = 0; i < features.size(16); ++i) {
      spec.features.push_back(static_cast<int>(features.at(i).integer(0, kMost)));
      if (!spec.program.makes(spec.features.back())) features.at(i).fail("expected a value that an operator of the program makes");
    }
  }
  spec.batch_size = root.at("batchSize").integer(1, 1'000'000);
  spec.epochs = root.at("epochs").integer(1, 1'000'000);
  if (root.has("earlyStopping")) spec.early_stopping = read_early_stopping(root.at("earlyStopping"), spec.metrics);
  spec.shuffle = root.at("shuffle").boolean();
  spec.bucketing = root.has("bucketing") && root.at("bucketing").boolean();
  if (spec.bucketing && (!spec.shuffle || !spec.train.lengths)) root.at("bucketing").fail("rows can be grouped by length only where they have lengths and are shuffled");
  spec.drop_last = root.at("dropLast").boolean();
  spec.one_batch = root.has("oneBatch") && root.at("oneBatch").boolean();
  spec.seed = static_cast<uint64_t>(root.at("seed").integer(0, kMost));
  spec.cuda = root.at("device").choice({"cpu", "cuda"}) == 1;
  spec.bf16 = root.at("precision").choice({"float32", "bf16"}) == 1;
  spec.channels_last = root.at("channelsLast").boolean();
  if (const JsonPlace clip = root.at("gradClip"); !clip.json().is_null()) {
    clip.fields({"kind", "max"});
    spec.grad_clip = GradClip{clip.at("kind").choice({"norm", "value"}) == 0, clip.at("max").number(0, 1e30)};
  }
  if (root.has("ema")) spec.ema_decay = root.at("ema").fields({"decay"}).at("decay").number(0, 1);
  spec.accumulate = root.at("accumulate").integer(1, 100'000);
  spec.threads = static_cast<int>(root.at("threads").integer(0, 1024));
  if (const JsonPlace checkpoint = root.at("checkpoint"); !checkpoint.json().is_null()) {
    checkpoint.fields({"folder", "everyMs"});
    spec.checkpoint_folder = checkpoint.at("folder").text();
    if (spec.checkpoint_folder.empty()) checkpoint.at("folder").fail("expected a folder");
    spec.checkpoint_every_ms = checkpoint.at("everyMs").integer(0, kMost);
  }
  spec.resume_from = text_or_empty(root.at("resumeFrom"));
  spec.start_from = text_or_empty(root.at("startFrom"));
  if (root.has("memoryLimitBytes")) spec.memory_limit_bytes = static_cast<size_t>(root.at("memoryLimitBytes").integer(1, kMost));
  if (root.has("placeFile")) spec.place_file = static_cast<int>(root.at("placeFile").integer(3, 1 << 20));
  spec.follows_backward = root.has("followsBackward") && root.at("followsBackward").boolean();
  root.at("sampleRows").size(64);
  spec.sample_rows = root.at("sampleRows").integers(0, spec.validation.rows - 1);
  if (root.has("points")) {
    const JsonPlace points = root.at("points").fields({"output", "rows"});
    points.at("rows").size(4096);
    spec.points = {points.at("output").text(), points.at("rows").integers(0, spec.validation.rows - 1)};
  }
  if (root.has("generate")) spec.generate = read_generation(root.at("generate"), spec.program);
  if (root.has("lattice")) {
    const JsonPlace lattice = root.at("lattice").fields({"input", "low", "high", "side"});
    TrainSpec::Lattice read{lattice.at("input").text(), {}, {}, lattice.at("side").integer(2, 128)};
    for (const int axis : {0, 1}) {
      lattice.at("low").size(2);
      lattice.at("high").size(2);
      read.low[axis] = lattice.at("low").at(static_cast<size_t>(axis)).number();
      read.high[axis] = lattice.at("high").at(static_cast<size_t>(axis)).number();
    }
    spec.lattice = std::move(read);
  }
  if (root.has("looks")) spec.looks = LookOptions::read(root.at("looks"));
  if (root.has("breakpoints")) spec.breakpoints = read_breakpoints(root.at("breakpoints"), spec.program);
  spec.histograms = root.has("histograms") && root.at("histograms").boolean();
  if (root.has("knobs")) spec.knobs = read_knobs(root.at("knobs"));
  return spec;
}

double TrainSpec::lr_at(int64_t step) const {
  if (lr_factors.empty()) return lr;
  return lr * lr_factors[static_cast<size_t>(std::min<int64_t>(step, static_cast<int64_t>(lr_factors.size()) - 1))];
}

} // namespace tensorloom

#include "knobs.h"

namespace tensorloom {
namespace {

constexpr int64_t kMost = 9007199254740991;

TurnDropout read_dropout(const JsonPlace& place) {
  const JsonPlace node = place.at("node");
  return {place.at("p").number(0, 1), node.json().is_null() ? "" : node.text()};
}

TurnBatchSize read_batch(const JsonPlace& place) { return {place.at("batchSize").integer(1, 1'000'000), place.at("dropLast").boolean()}; }

Knob read_knob(const JsonPlace& place) {
  const JsonPlace step = place.at("step");
  Knob knob{place.at("id").text(), step.json().is_null() ? std::nullopt : std::optional(step.integer(0, kMost)), {}};
  switch (place.at("kind").choice({"lr", "dropout", "batch-size"})) {
    case 0:
      place.fields({"id", "step", "kind", "lr", "hold"});
      knob.turn = TurnLr{place.at("lr").number(0, 1e30), place.at("hold").boolean()};
      return knob;
    case 1:
      place.fields({"id", "step", "kind", "p", "node"});
      knob.turn = read_dropout(place);
      return knob;
    default:
      place.fields({"id", "step", "kind", "batchSize", "dropLast"});
      knob.turn = read_batch(place);
      return knob;
  }
}

} // namespace

std::vector<Knob> read_knobs(const JsonPlace& place) {
  std::vector<Knob> knobs;
  for (size_t i = 0; i < place.size(10'000); ++i) knobs.push_back(read_knob(place.at(i)));
  return knobs;
}

void Turned::write(JsonWriter& json) const {
  json.open('{').key("lrScale").value(lr_scale);
  if (lr_held) json.key("lrHeld").value(*lr_held);
  if (batch) json.key("batch").open('{').key("batchSize").value(batch->batch_size).key("dropLast").value(batch->drop_last).close('}');
  json.key("dropouts").open('[');
  for (const TurnDropout& dropout : dropouts) {
    json.open('{').key("p").value(dropout.p).key("node");
    if (dropout.node.empty()) json.null();
    else json.value(dropout.node);
    json.close('}');
  }
  json.close(']').close('}');
}

Turned Turned::read(const JsonPlace& place) {
  place.fields({"lrScale", "lrHeld?", "batch?", "dropouts"});
  Turned turned;
  turned.lr_scale = place.at("lrScale").number();
  if (place.has("lrHeld")) turned.lr_held = place.at("lrHeld").number(0, 1e30);
  if (place.has("batch")) turned.batch = read_batch(place.at("batch").fields({"batchSize", "dropLast"}));
  const JsonPlace dropouts = place.at("dropouts");
  for (size_t i = 0; i < dropouts.size(100'000); ++i) turned.dropouts.push_back(read_dropout(dropouts.at(i).fields({"p", "node"})));
  return turned;
}

} // namespace tensorloom

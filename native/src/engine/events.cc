#include "events.h"

#include <cstdio>

namespace tensorloom {

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

void EventLog::begin() {
  if (!open_) json_.open('[');
  open_ = true;
}

void EventLog::point(const std::string& key, int64_t step, double value) {
  Series& series = series_[key];
  series.steps.push_back(step);
  series.values.push_back(value);
}

void EventLog::drain_points() {
  for (auto& [key, series] : series_) {
    if (series.steps.empty()) continue;
    begin();
    json_.open('{').key("type").value("points").key("key").value(key).key("steps").value(series.steps).key("values").value(series.values).close('}');
    series.steps.clear();
    series.values.clear();
  }
}

void EventLog::add(const char* type, const std::function<void(JsonWriter&)>& write) {
  drain_points();
  begin();
  json_.open('{').key("type").value(type);
  write(json_);
  json_.close('}');
}

void EventLog::log(const char* level, const std::string& message) {
  add("log", [&](JsonWriter& json) { json.key("level").value(level).key("message").value(message); });
}

void EventLog::flush() {
  drain_points();
  flushed_ = std::chrono::steady_clock::now();
  if (!open_) return;
  sink_(json_.close(']').take());
  json_ = JsonWriter();
  open_ = false;
}

} // namespace tensorloom

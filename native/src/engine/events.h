#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "json.h"

namespace tensorloom {

/// Receives a JSON array of events (core/training/events.ts), in the order they happened. Called on the training thread.
using EventSink = std::function<void(std::string json)>;

/// A number as sentences of the log have it, with four digits.
std::string rounded(double value);

/// Gathers events and hands them on about ten times a second.
class EventLog {
 public:
  explicit EventLog(EventSink sink) : sink_(std::move(sink)) {}

  void point(const std::string& key, int64_t step, double value);
  /// Appends one event; `write` fills the open object. Points noted before come before it.
  void add(const char* type, const std::function<void(JsonWriter&)>& write);
  void log(const char* level, const std::string& message);

  bool is_due() const { return std::chrono::steady_clock::now() - flushed_ >= std::chrono::milliseconds(100); }
  void flush();

 private:
  struct Series {
    std::vector<int64_t> steps;
    std::vector<double> values;
  };
  void drain_points();
  void begin();

  EventSink sink_;
  JsonWriter json_;
  bool open_ = false;
  std::map<std::string, Series> series_;
  std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
};

} // namespace tensorloom

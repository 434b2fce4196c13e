#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tensorloom {

/// A JSON value as RFC 8259 has it. Objects keep their order; a key said twice is an error.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;
  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value = nullptr;

  /// @throws EngineError with `code` on anything but one whole JSON value, or on more than 200 levels.
  static Json parse(std::string_view text, const std::string& code);

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value); }
  /// The member called `key`, or null where there is none or this is no object.
  const Json* find(std::string_view key) const;
};

/// A place in a JSON document that knows its own path, so that a refusal can say where: `ops[3].args[1]`.
/// The document must outlive it. Every reader throws EngineError with the document's `code`.
class JsonPlace {
 public:
  JsonPlace(const Json& json, std::string path, std::string code)
      : json_(&json), path_(std::move(path)), code_(std::move(code)) {}

  const Json& json() const { return *json_; }
  const std::string& path() const { return path_; }
  [[noreturn]] void fail(const std::string& message) const;

  /// Requires an object with these keys and no others; keys ending in `?` may be absent.
  const JsonPlace& fields(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const;
  JsonPlace at(std::string_view key) const;
  JsonPlace at(size_t index) const;
  /// Requires an array; the number of its items.
  size_t size(size_t limit = std::numeric_limits<uint32_t>::max()) const;

  bool boolean() const;
  double number() const;
  double number(double low, double high) const;
  int64_t integer(int64_t low, int64_t high) const;
  const std::string& text() const;
  /// Which of `words` stands here.
  size_t choice(std::initializer_list<std::string_view> words) const;
  std::vector<double> numbers() const;
  std::vector<int64_t> integers(int64_t low, int64_t high) const;

 private:
  const Json* json_;
  std::string path_;
  std::string code_;
};

/// Writes JSON in order. Numbers round-trip; what JSON cannot say (NaN, infinities) becomes null.
class JsonWriter {
 public:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(int64_t number);
  JsonWriter& value(bool flag);
  JsonWriter& value(const std::vector<int64_t>& numbers);
  JsonWriter& value(const std::vector<double>& numbers);
  JsonWriter& null();
  std::string take() { return std::move(out_); }

 private:
  void separate();
  std::string out_;
  bool first_ = true;
};

/// The shortest text that reads back as the same double.
std::string format_number(double number);

} // namespace tensorloom

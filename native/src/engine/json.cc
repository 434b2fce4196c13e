#include "json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "error.h"

namespace tensorloom {
namespace {

constexpr int kMaxDepth = 200;

class Parser {
 public:
  Parser(std::string_view text, const std::string& code) : text_(text), code_(code) {}

  Json document() {
    Json json = item(0);
    skip_space();
    if (at_ != text_.size()) fail("more text after the end of the value");
    return json;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw EngineError(code_, "Not valid JSON at character " + std::to_string(at_) + ": " + message + ".");
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c) {
    if (at_ >= text_.size() || text_[at_] != c) fail(std::string("expected '") + c + "'");
    ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Json item(int depth) {
    if (depth > kMaxDepth) fail("more than " + std::to_string(kMaxDepth) + " levels of nesting");
    skip_space();
    Json json;
    switch (peek()) {
      case '{': json.value = object(depth); break;
      case '[': json.value = array(depth); break;
      case '"': json.value = string(); break;
      case 't': word("true"); json.value = true; break;
      case 'f': word("false"); json.value = false; break;
      case 'n': word("null"); break;
      default: json.value = number();
    }
    return json;
  }

  void word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) fail("unknown word");
    at_ += expected.size();
  }

  Json::Object object(int depth) {
    Json::Object members;
    expect('{');
    if (accept('}')) return members;
    do {
      skip_space();
      std::string key = string();
      // Objects in our documents are small, so looking through them beats hashing.
      if (std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.first == key; })) fail("the key \"" + key + "\" stands twice");
      // Bounds the cost of that look on hostile input.
      if (members.size() >= 10'000) fail("an object with more than 10000 keys");
      skip_space();
      expect(':');
      Json member = item(depth + 1);
      members.emplace_back(std::move(key), std::move(member));
    } while (accept(','));
    skip_space();
    expect('}');
    return members;
  }

  Json::Array array(int depth) {
    Json::Array items;
    expect('[');
    if (accept(']')) return items;
    do items.push_back(item(depth + 1));
    while (accept(','));
    skip_space();
    expect(']');
    return items;
  }

  std::string string() {
    std::string out;
    expect('"');
    while (true) {
      if (at_ >= text_.size()) fail("a string without an end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escape = peek();
      ++at_;
      switch (escape) {
        case '"': case '\\': case '/': out += escape; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': append_utf8(out, code_point()); break;
        default: fail("an unknown escape");
      }
    }
  }

  uint32_t hex4() {
    if (at_ + 4 > text_.size()) fail("a short \\u escape");
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (error != std::errc() || end != text_.data() + at_ + 4) fail("a \\u escape that is not hexadecimal");
    at_ += 4;
    return code;
  }

  uint32_t code_point() {
    const uint32_t high = hex4();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair");
    at_ += 2;
    const uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string& out, uint32_t code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | (code >> 18));
      out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  double number() {
    const size_t start = at_;
    const auto digits = [&] {
      const size_t from = at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      if (at_ == from) fail("expected a value");
    };
    if (peek() == '-') ++at_;
    if (peek() == '0') ++at_;
    else digits();
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, number);
    // Too small to tell from zero reads as zero, as in JavaScript; too large has no value here.
    if (error == std::errc::result_out_of_range && std::strtod(std::string(text_.substr(start, at_ - start)).c_str(), nullptr) == 0) return 0;
    if (error != std::errc() || end != text_.data() + at_ || !std::isfinite(number)) fail("a number out of range");
    return number;
  }

  std::string_view text_;
  const std::string& code_;
  size_t at_ = 0;
};

std::string quoted_list(std::initializer_list<std::string_view> words) {
  std::string out;
  for (const auto word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

} // namespace

Json Json::parse(std::string_view text, const std::string& code) { return Parser(text, code).document(); }

const Json* Json::find(std::string_view key) const {
  const auto* members = std::get_if<Object>(&value);
  if (!members) return nullptr;
  for (const auto& [name, member] : *members)
    if (name == key) return &member;
  return nullptr;
}

void JsonPlace::fail(const std::string& message) const {
  throw EngineError(code_, (path_.empty() ? "" : path_ + ": ") + message + ".");
}

const JsonPlace& JsonPlace::fields(std::initializer_list<std::string_view> keys) const {
  const auto* members = std::get_if<Json::Object>(&json_->value);
  if (!members) fail("expected an object");
  size_t found = 0;
  for (std::string_view key : keys) {
    const bool optional = key.back() == '?';
    if (optional) key.remove_suffix(1);
    if (json_->find(key)) ++found;
    else if (!optional) fail("\"" + std::string(key) + "\" is missing");
  }
  if (found == members->size()) return *this;
  for (const auto& [name, member] : *members)
    if (std::none_of(keys.begin(), keys.end(), [&](std::string_view key) { return key == name || (key.back() == '?' && key.substr(0, key.size() - 1) == name); }))
      fail("\"" + name + "\" is unknown here");
  return *this;
}

bool JsonPlace::has(std::string_view key) const { return json_->find(key) != nullptr; }

JsonPlace JsonPlace::at(std::string_view key) const {
  const Json* member = json_->find(key);
  if (!member) fail("\"" + std::string(key) + "\" is missing");
  return {*member, path_.empty() ? std::string(key) : path_ + "." + std::string(key), code_};
}

JsonPlace JsonPlace::at(size_t index) const {
  return {std::get<Json::Array>(json_->value).at(index), path_ + "[" + std::to_string(index) + "]", code_};
}

size_t JsonPlace::size(size_t limit) const {
  const auto* items = std::get_if<Json::Array>(&json_->value);
  if (!items) fail("expected a list");
  if (items->size() > limit) fail("a list of " + std::to_string(items->size()) + " items; the limit is " + std::to_string(limit));
  return items->size();
}

bool JsonPlace::boolean() const {
  const auto* flag = std::get_if<bool>(&json_->value);
  if (!flag) fail("expected true or false");
  return *flag;
}

double JsonPlace::number() const {
  const auto* number = std::get_if<double>(&json_->value);
  if (!number) fail("expected a number");
  return *number;
}

double JsonPlace::number(double low, double high) const {
  const double value = number();
  if (value < low || value > high) fail(format_number(value) + " is outside " + format_number(low) + " … " + format_number(high));
  return value;
}

int64_t JsonPlace::integer(int64_t low, int64_t high) const {
  const double value = number();
  // Beyond 2^53 a JSON number no longer names one integer.
  if (value != std::floor(value) || std::abs(value) > 9007199254740991.0) fail("expected a whole number");
  const auto whole = static_cast<int64_t>(value);
  if (whole < low || whole > high) fail(std::to_string(whole) + " is outside " + std::to_string(low) + " … " + std::to_string(high));
  return whole;
}

const std::string& JsonPlace::text() const {
  const auto* text = std::get_if<std::string>(&json_->value);
  if (!text) fail("expected text");
  return *text;
}

size_t JsonPlace::choice(std::initializer_list<std::string_view> words) const {
  const auto found = std::find(words.begin(), words.end(), std::string_view(text()));
  if (found == words.end()) fail("\"" + text() + "\" is none of " + quoted_list(words));
  return static_cast<size_t>(found - words.begin());
}

std::vector<double> JsonPlace::numbers() const {
  std::vector<double> out(size());
  for (size_t i = 0; i < out.size(); ++i) {
    const auto* number = std::get_if<double>(&std::get<Json::Array>(json_->value)[i].value);
    if (!number) at(i).fail("expected a number");
    out[i] = *number;
  }
  return out;
}

std::vector<int64_t> JsonPlace::integers(int64_t low, int64_t high) const {
  std::vector<int64_t> out(size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = at(i).integer(low, high);
  return out;
}

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  value(name);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  separate();
  out_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (byte < 0x20) {
      out_ += "\\u00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  out_ += format_number(number);
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  separate();
  out_ += flag ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(const std::vector<int64_t>& numbers) {
  open('[');
  for (const int64_t number : numbers) value(number);
  return close(']');
}

JsonWriter& JsonWriter::value(const std::vector<double>& numbers) {
  open('[');
  for (const double number : numbers) value(number);
  return close(']');
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

std::string format_number(double number) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  return {buffer, result.ptr};
}

} // namespace tensorloom

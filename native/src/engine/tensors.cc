#include "tensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <charconv>
#include <cstring>

#include "error.h"
#include "json.h"

namespace tensorloom {
namespace {

constexpr size_t kMaxHeaderBytes = 100 << 20;
constexpr int64_t kMaxElements = int64_t{1} << 44;

struct Format {
  const char* npy;
  const char* safetensors;
  at::ScalarType dtype;
};
constexpr Format kFormats[] = {
    {"<f4", "F32", at::kFloat}, {"<i8", "I64", at::kLong}, {"|u1", "U8", at::kByte}, {nullptr, "BOOL", at::kBool}, {nullptr, "F64", at::kDouble}, {nullptr, "BF16", at::kBFloat16},
};

/// Reads the Python literal in the header of a `.npy` file, in the one form NumPy writes.
class NpyHeader {
 public:
  NpyHeader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;

  void read() {
    expect('{');
    int seen = 0;
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        dtype = dtype_of(string());
        seen |= 1;
      } else if (key == "fortran_order") {
        if (accept_word("True")) refuse("its order is Fortran's; save it in C order");
        if (!accept_word("False")) refuse("its header is damaged");
        seen |= 2;
      } else if (key == "shape") {
        read_shape();
        seen |= 4;
      } else {
        refuse("its header has an unknown key");
      }
      accept(',');
    }
    if (seen != 7) refuse("its header is incomplete");
    skip_space();
    if (at_ != text_.size()) refuse("its header is damaged");
  }

  [[noreturn]] void refuse(const std::string& why) const { throw EngineError("DATA_MISMATCH", "The array \"" + file_name(path_) + "\" cannot be used: " + why + "."); }

 private:
  at::ScalarType dtype_of(const std::string& descr) const {
    for (const Format& format : kFormats)
      if (format.npy && descr == format.npy) return format.dtype;
    refuse("its type is " + descr + "; arrays are uint8 (|u1), float32 (<f4) or int64 (<i8)");
  }
  void read_shape() {
    expect('(');
    int64_t elements = 1;
    while (!accept(')')) {
      skip_space();
      int64_t size = -1;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0 || shape.size() == 16) refuse("its shape is damaged");
      at_ = static_cast<size_t>(end - text_.data());
      if (size != 0 && elements > kMaxElements / size) refuse("its shape is too large to exist");
      elements *= size;
      shape.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse("its header is damaged");
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::string string() {
    expect('\'');
    const size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) refuse("its header is damaged");
    std::string out(text_.substr(at_, end - at_));
    at_ = end + 1;
    return out;
  }

  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
};

size_t little_endian(const uint8_t* bytes, size_t count) {
  size_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= size_t{bytes[i]} << (8 * i);
  return value;
}

} // namespace

double read_scalar(const at::Tensor& tensor) {
  if (tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() == 1) return *tensor.const_data_ptr<float>();
  return tensor.item().toDouble();
}

at::Tensor map_npy(const std::string& path) {
  const auto file = MappedFile::open(path, "DATA_MISMATCH");
  const uint8_t* bytes = file->data();
  NpyHeader unread({}, path);
  if (file->size() < 12 || std::memcmp(bytes, "\x93NUMPY", 6) != 0) unread.refuse("it is no .npy file");
  const uint8_t major = bytes[6];
  if (major < 1 || major > 3 || bytes[7] != 0) unread.refuse("its version is unknown");
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t header_size = little_endian(bytes + 8, length_bytes);
  const size_t start = 8 + length_bytes + header_size;
  if (header_size > kMaxHeaderBytes || start > file->size()) unread.refuse("its header is cut off");
  NpyHeader header({reinterpret_cast<const char*>(bytes) + 8 + length_bytes, header_size}, path);
  header.read();
  const size_t item = c10::elementSize(header.dtype);
  if (start % item != 0) header.refuse("its data do not start at a multiple of the item size");
  size_t size_bytes = item;
  for (const int64_t size : header.shape) size_bytes *= static_cast<size_t>(size);
  if (file->size() - start != size_bytes)
    header.refuse("it holds " + std::to_string(file->size() - start) + " bytes of data where its shape needs " + std::to_string(size_bytes));
  // from_blob wants a mutable pointer; no operator a program may call writes to its arguments.
  return at::from_blob(const_cast<uint8_t*>(bytes) + start, header.shape, [file](void*) {}, at::TensorOptions(header.dtype));
}

Safetensors Safetensors::read(const std::string& path) {
  const std::string code = "CHECKPOINT_CORRUPT";
  const auto file = MappedFile::open(path, code);
  const auto refuse = [&](const std::string& why) { throw EngineError(code, "The weights file \"" + file_name(path) + "\" cannot be used: " + why + "."); };
  if (file->size() < 10) refuse("it is too short");
  const size_t header_size = little_endian(file->data(), 8);
  if (header_size > kMaxHeaderBytes || header_size > file->size() - 8) refuse("its header is cut off");
  const size_t start = 8 + header_size;
  const size_t data_size = file->size() - start;

  const Json json = Json::parse({reinterpret_cast<const char*>(file->data()) + 8, header_size}, code);
  const JsonPlace header(json, "", code);
  if (!std::holds_alternative<Json::Object>(json.value)) refuse("its header is no object");
  Safetensors result;
  size_t covered = 0;
  for (const auto& [name, entry] : std::get<Json::Object>(json.value)) {
    const JsonPlace place(entry, name, code);
    if (name == "__metadata__") {
      if (!std::holds_alternative<Json::Object>(entry.value)) refuse("its metadata is no object");
      for (const auto& [key, text] : std::get<Json::Object>(entry.value)) result.metadata[key] = JsonPlace(text, key, code).text();
      continue;
    }
    place.fields({"dtype", "shape", "data_offsets"});
    const Format& format = kFormats[place.at("dtype").choice({"F32", "I64", "U8", "BOOL", "F64", "BF16"})];
    place.at("shape").size(16);
    const std::vector<int64_t> shape = place.at("shape").integers(0, kMaxElements);
    const std::vector<int64_t> offsets = place.at("data_offsets").integers(0, static_cast<int64_t>(data_size));
    if (offsets.size() != 2 || offsets[0] > offsets[1]) refuse("\"" + name + "\" has no proper offsets");
    const auto size_bytes = static_cast<size_t>(offsets[1] - offsets[0]);
    int64_t elements = 1;
    for (const int64_t size : shape) {
      if (size != 0 && elements > kMaxElements / size) refuse("\"" + name + "\" is too large to exist");
      elements *= size;
    }
    if (size_bytes != static_cast<size_t>(elements) * c10::elementSize(format.dtype)) refuse("\"" + name + "\" has another size than its shape says");
    covered += size_bytes;
    // Other writers do not align their data, so a copy rather than a view.
    at::Tensor tensor = at::empty(shape, at::TensorOptions(format.dtype));
    if (size_bytes > 0) std::memcpy(tensor.mutable_data_ptr(), file->data() + start + offsets[0], size_bytes);
    result.tensors.emplace(name, std::move(tensor));
  }
  if (covered != data_size) refuse("its tensors do not fill it exactly");
  return result;
}

WrittenFile write_safetensors(const std::string& path, const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  NamedTensors dense;
  JsonWriter header;
  header.open('{');
  if (!metadata.empty()) {
    header.key("__metadata__").open('{');
    for (const auto& [key, text] : metadata) header.key(key).value(text);
    header.close('}');
  }
  int64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor& data = dense.emplace_back(name, tensor.detach().to(at::kCPU).contiguous()).second;
    const char* dtype = nullptr;
    for (const Format& format : kFormats)
      if (format.dtype == data.scalar_type()) dtype = format.safetensors;
    if (!dtype) throw EngineError("INTERNAL", "A tensor of type " + std::string(c10::toString(data.scalar_type())) + " cannot be saved.");
    const auto size_bytes = static_cast<int64_t>(data.nbytes());
    header.key(name).open('{').key("dtype").value(dtype).key("shape").value(data.sizes().vec()).key("data_offsets").value(std::vector<int64_t>{offset, offset + size_bytes}).close('}');
    offset += size_bytes;
  }
  std::string text = header.close('}').take();
  // Spaces up to a multiple of 8 keep the data aligned.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return write_atomically(path, [&](const auto& append) {
    std::array<uint8_t, 8> length;
    for (size_t i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(text.size() >> (8 * i));
    append(length.data(), length.size());
    append(text.data(), text.size());
    for (const auto& [name, data] : dense)
      if (data.nbytes() > 0) append(data.const_data_ptr(), data.nbytes());
  });
}

} // namespace tensorloom

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tensorloom {

/// A whole file mapped read-only into memory, for as long as this lives.
class MappedFile {
 public:
  /// @throws EngineError with `code` where it cannot be opened.
  static std::shared_ptr<const MappedFile> open(const std::string& path, const std::string& code);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  const uint8_t* data_;
  size_t size_;
};

struct WrittenFile {
  int64_t size_bytes;
  std::string sha256;
};

/// Writes a file so that it is there whole or not at all, even after a power cut: to a temporary name, fsync, rename,
/// fsync of the folder. `write` receives a function that appends bytes.
/// @throws EngineError INTERNAL saying what the system said (a full disk, a missing folder).
WrittenFile write_atomically(const std::string& path, const std::function<void(const std::function<void(const void*, size_t)>& append)>& write);

/// The part of a path a person may see: its last name.
std::string file_name(const std::string& path);

} // namespace tensorloom

#include "file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "error.h"
#include "sha256.h"

namespace tensorloom {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  explicit Descriptor(int fd) : fd(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string system_says(const char* what, const std::string& path) { return std::string(what) + " \"" + file_name(path) + "\": " + std::strerror(errno) + "."; }

} // namespace

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path, const std::string& code) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) throw EngineError(code, system_says("Cannot open", path));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0 || !S_ISREG(status.st_mode)) throw EngineError(code, "\"" + file_name(path) + "\" is not a regular file.");
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) throw EngineError(code, "\"" + file_name(path) + "\" is empty.");
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) throw EngineError(code, system_says("Cannot map", path));
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const uint8_t*>(data), size));
}

MappedFile::~MappedFile() { ::munmap(const_cast<uint8_t*>(data_), size_); }

WrittenFile write_atomically(const std::string& path, const std::function<void(const std::function<void(const void*, size_t)>&)>& write) {
  const std::string temporary = path + ".tmp";
  Sha256 hash;
  int64_t size = 0;
  try {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.fd < 0) throw EngineError("INTERNAL", system_says("Cannot create", path));
    write([&](const void* data, size_t count) {
      hash.add(data, count);
      size += static_cast<int64_t>(count);
      const auto* bytes = static_cast<const uint8_t*>(data);
      while (count > 0) {
        const ssize_t written = ::write(file.fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw EngineError("INTERNAL", system_says("Cannot write", path));
        bytes += written;
        count -= static_cast<size_t>(written);
      }
    });
    if (::fsync(file.fd) != 0) throw EngineError("INTERNAL", system_says("Cannot write", path));
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw EngineError("INTERNAL", system_says("Cannot rename", path));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const size_t slash = path.rfind('/');
  const Descriptor folder(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd < 0 || ::fsync(folder.fd) != 0) throw EngineError("INTERNAL", system_says("Cannot write the folder of", path));
  return {size, hash.finish()};
}

} // namespace tensorloom

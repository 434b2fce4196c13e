#include "whereabouts.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "json.h"

namespace tensorloom {

Whereabouts::Whereabouts(int file, const std::vector<std::string>& nodes) {
  if (file < 0) return;
  JsonWriter json;
  json.open('[');
  for (const std::string& node : nodes) json.value(node);
  const std::string text = std::string(sizeof(int32_t), '\0') + json.close(']').take();
  // Written before it is mapped: a page that the disk has no room for would end the process where it is touched.
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return;
  void* mapped = ::mmap(nullptr, sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return;
  mapped_ = mapped;
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t) && std::atomic<int32_t>::is_always_lock_free);
  place = new (mapped) std::atomic<int32_t>(kElsewhere);
}

Whereabouts::~Whereabouts() {
  be_at(kElsewhere);
  place = &nowhere;
  if (mapped_ != nullptr) ::munmap(mapped_, sizeof(int32_t));
}

} // namespace tensorloom

#include "runtime/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "runtime/base/sys.h"

namespace jaula {
namespace {

Result<void> remove_directory(int parent, const std::string& name) {
  const open_how how{.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                     .mode = 0,
                     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  const Fd directory = TRY(sys::openat2(parent, name.c_str(), how));
  TRY(remove_entries(directory.get(), name));
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
    return Error(errno, "remove directory ", name);
  return {};
}

}  // namespace

Result<std::vector<DirectoryEntry>> list_directory(int directory, std::string_view path) {
  // A descriptor of its own: the position of a listing belongs to the open file.
  Fd listing = TRY(sys::openat(directory, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(listing.get()), ::closedir);
  if (!stream) return Error(errno, "list ", path);
  listing.release();
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return Error(errno, "list ", path);
    if (entry == nullptr) return entries;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_type});
  }
}

Result<void> remove_entries(int directory, std::string_view path) {
  const std::vector<DirectoryEntry> entries = TRY(list_directory(directory, path));
  for (const DirectoryEntry& entry : entries) {
    if (::unlinkat(directory, entry.name.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR) return Error(errno, "remove ", path, "/", entry.name);
    TRY(remove_directory(directory, entry.name));
  }
  return {};
}

}  // namespace jaula

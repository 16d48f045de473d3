#include "runtime/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <memory>

#include "runtime/base/sys.h"

namespace jaula {
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

}  // namespace jaula

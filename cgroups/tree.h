// The cgroups that a jail made below its own. Parent side.
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/sys.h"

namespace jaula::cgroups {

using Deadline = std::chrono::steady_clock::time_point;

inline Result<Fd> open_directory(int parent, const std::string& name) noexcept {
  // The names are the jail's: no link of it is followed.
  return sys::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

inline Result<std::vector<std::string>> children_of(int directory) {
  Fd listing = TRY(open_directory(directory, "."));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(listing.get()), &::closedir);
  if (stream == nullptr) return Error(errno, "list cgroups");
  listing.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0 && errno != ENOENT) return Error(errno, "list cgroups");
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
}

// Calls visit(cgroup, parent, name) for every cgroup below `top`, children before parents. Two
// descriptors at a time however deep the jail has nested, for its depth is its own choice.
template <class Visit>
Result<void> for_each_below(int top, Deadline deadline, Visit visit) {
  Fd here = TRY(open_directory(top, "."));
  std::vector<std::string> names = TRY(children_of(here.get()));
  std::vector<std::vector<std::string>> pending = {std::move(names)};
  for (;;) {
    if (std::chrono::steady_clock::now() > deadline) return Error(ETIMEDOUT, "walk cgroups");
    if (!pending.back().empty()) {
      Result<Fd> child = open_directory(here.get(), pending.back().back());
      if (child) {
        here = std::move(*child);
        names = TRY(children_of(here.get()));
        pending.push_back(std::move(names));
      } else if (child.error().code() == ENOENT) {
        pending.back().pop_back();
      } else {
        return child.error();
      }
      continue;
    }
    pending.pop_back();
    if (pending.empty()) return {};
    // Cgroups cannot be moved, so ".." is where we came from.
    Fd parent = TRY(open_directory(here.get(), ".."));
    TRY(visit(here.get(), parent.get(), pending.back().back()));
    pending.back().pop_back();
    here = std::move(parent);
  }
}

}  // namespace jaula::cgroups

// What can be known of a jail's mounts before it is started.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "isolation/root_path.h"
#include "runtime/base/sys.h"
#include "runtime/plan/masks.h"
#include "runtime/plan/mount_words.h"
#include "runtime/plan/mounts.h"

namespace jaula::plan {
namespace {

bool wants_directory(const spec::MountConfig& mount) { return has_option(mount, "x-create"); }

// What it stands on is not the root's.
bool is_inside_another(const spec::JailConfig& config, const spec::MountConfig& mount) {
  for (const std::string_view fresh : {"/proc", "/dev", "/sys"})
    if (is_at_or_below(mount.destination, fresh)) return true;
  return std::any_of(config.mounts.begin(), config.mounts.end(), [&](const auto& other) {
    return other.destination != mount.destination &&
           is_at_or_below(mount.destination, other.destination);
  });
}

// The jail asks again when it mounts: this one is for a good message, before anything is made.
Result<void> check_target(int root, const spec::MountConfig& mount) {
  using isolation::MountPointKind;
  const char* path = mount.destination.c_str() + 1;
  const Result<Fd> there = isolation::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (!there) return {};
  const bool file = mount.type == "bind" && is_file(mount.source);
  return isolation::check_mount_point(there->get(), path,
                                      file ? MountPointKind::kFile : MountPointKind::kDirectory);
}

}  // namespace

bool has_option(const spec::MountConfig& mount, std::string_view word) {
  return std::find(mount.options.begin(), mount.options.end(), word) != mount.options.end();
}

bool is_file(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

std::vector<std::string> directories_to_make(const spec::JailConfig& config) {
  std::vector<std::string> directories;
  for (const spec::MountConfig& mount : config.mounts)
    if (mount.type == "bind" && wants_directory(mount) &&
        ::access(mount.source.c_str(), F_OK) < 0 && errno == ENOENT)
      directories.push_back(mount.source);
  return directories;
}

std::vector<Error> check_idmaps(const spec::JailConfig& config, const MountFacts& facts) {
  std::vector<Error> problems;
  if (facts.idmapped || !facts.user_namespace) return problems;
  for (const spec::MountConfig& mount : config.mounts)
    if (has_option(mount, "idmap"))
      problems.push_back(Error(EPERM, mount.origin, ": map the ids of ", mount.source)
                             .hint("root alone can do that; leave `idmap` out"));
  return problems;
}

std::vector<Error> check_sources(const spec::JailConfig& config) {
  std::vector<Error> problems;
  if (config.extra.root_kind == spec::RootKind::kDirectory) {
    struct stat info;
    const char* root = config.root_path.c_str();
    const bool found = ::stat(root, &info) == 0;
    if (found && !S_ISDIR(info.st_mode)) errno = ENOTDIR;
    if (!found || !S_ISDIR(info.st_mode) || ::access(root, R_OK | X_OK) < 0)
      problems.push_back(Error(errno, config.extra.root_origin, ": root file system ", root));
  }
  for (const spec::MountConfig& mount : config.mounts) {
    if (mount.type == "bind" && is_at_or_below(mount.source, "/proc")) {
      problems.push_back(Error(0, mount.origin, ": the machine's /proc is no source of a volume")
                             .hint("every jail has a /proc of its own"));
      continue;
    }
    if (mount.type != "bind" || ::access(mount.source.c_str(), F_OK) == 0) continue;
    const int reason = errno;
    if (reason == ENOENT && wants_directory(mount)) continue;
    problems.push_back(
        Error(reason, mount.origin, ": mount ", mount.source, " on ", mount.destination)
            .hint("create it, or set `create_host_path: true` on this volume"));
  }
  return problems;
}

std::vector<Error> check_targets(const spec::JailConfig& config) {
  std::vector<Error> problems;
  if (config.mounts.empty() || config.extra.root_kind != spec::RootKind::kDirectory)
    return problems;
  const Result<Fd> root = sys::open(config.root_path.c_str(), O_PATH | O_DIRECTORY);
  if (!root) return problems;  // check_sources has said so
  for (const spec::MountConfig& mount : config.mounts) {
    if (is_inside_another(config, mount)) continue;
    if (Result<void> fine = check_target(root->get(), mount); !fine)
      problems.push_back(
          fine.error().in(mount.origin, ": mount ", mount.source, " on ", mount.destination, ": "));
  }
  return problems;
}

}  // namespace jaula::plan

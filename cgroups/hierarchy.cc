#include "cgroups/hierarchy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <algorithm>

#include "cgroups/mountinfo.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"

namespace jaula::cgroups {
namespace {

// What is passed on to jails where it is there, and what limits of ours need.
constexpr std::string_view kPassedOn[] = {"cpu", "memory", "pids", "io", "cpuset"};
constexpr std::string_view kNeeded[] = {"cpu", "memory", "pids"};

bool is_cgroup2(const std::string& directory) {
  struct statfs info;
  return ::statfs(directory.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

// mountinfo takes longer than all the rest of look(), so the usual places are tried first.
Mounts find_mounts(const Sources& sources) {
  if (!sources.conventional.empty()) {
    if (is_cgroup2(sources.conventional)) return {.unified = sources.conventional, .legacy = {}};
    const std::string beside_legacy = sources.conventional + "/unified";
    if (is_cgroup2(beside_legacy)) return {.unified = beside_legacy, .legacy = {}};
  }
  return parse_mountinfo(read_or_empty(sources.mountinfo));
}

bool is_owned_by(const std::string& directory, uid_t user) {
  struct stat info;
  return ::stat(directory.c_str(), &info) == 0 && info.st_uid == user;
}

// systemd says "delegated" with an attribute: trusted.delegate for those with CAP_SYS_ADMIN, since
// version 251 user.delegate for all. It is removed, not set to 0, when delegation ends.
bool is_marked_delegated(const std::string& directory) {
  char names[4096];
  const ssize_t size = ::listxattr(directory.c_str(), names, sizeof names);
  if (size <= 0) return false;
  const auto all = split({names, static_cast<std::size_t>(size)}, '\0');
  return std::any_of(all.begin(), all.end(), [](std::string_view name) {
    return name == "user.delegate" || name == "trusted.delegate";
  });
}

// The nearest cgroup at or above our own that was delegated to our user, "" when there is none.
std::string delegated_base(const Hierarchy& hierarchy, uid_t user) {
  std::string owned;
  // "/.." is a cgroup outside of our cgroup namespace. cgroup_namespaces(7)
  if (hierarchy.own.starts_with("/..")) return owned;
  for (std::string path = hierarchy.own; path.size() > 1 && path.front() == '/';) {
    std::string directory = hierarchy.mount + path;
    // What is delegated to another user, who can write to it, is no place for jails of ours.
    const bool marked = is_marked_delegated(directory);
    const bool ours = (marked || user != 0) && is_owned_by(directory, user);
    if (marked && ours) return directory;
    // For the kernel, and for a systemd without the attribute, delegation is ownership: a user's
    // subtree begins at the topmost directory that is the user's.
    if (user != 0 && ours) owned = std::move(directory);
    path.resize(path.rfind('/'));
  }
  return owned;
}

// The root cgroup of the host has none of the files of a cgroup that can be limited; the root of a
// cgroup namespace has them.
bool is_root_of_host(const std::string& directory) {
  return ::access((directory + "/cgroup.events").c_str(), F_OK) != 0;
}

std::vector<std::string> controllers_of(const std::string& directory) {
  const std::string text = read_or_empty(directory + "/cgroup.controllers");
  const auto offered = split(trim(text), ' ');
  std::vector<std::string> controllers;
  for (const std::string_view name : kPassedOn)
    if (std::find(offered.begin(), offered.end(), name) != offered.end())
      controllers.emplace_back(name);
  return controllers;
}

void explain_no_mount(Hierarchy& hierarchy) {
  const bool legacy = hierarchy.layout == Layout::kLegacy;
  hierarchy.problem =
      legacy ? "only cgroup v1 is mounted, and jaula needs v2" : "no cgroup file system is mounted";
  hierarchy.remedy = legacy ? "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 "
                              "beside v1: jails can then be tracked and killed, but not limited"
                            : "mount -t cgroup2 none /sys/fs/cgroup";
}

void explain_no_access(Hierarchy& hierarchy, const std::string& base, int reason) {
  if (reason == EROFS) {
    hierarchy.problem = "cgroup v2 is mounted read-only at " + hierarchy.mount;
    hierarchy.remedy = "mount -o remount,rw " + hierarchy.mount +
                       ", or ask the container engine around us for writable cgroups";
    return;
  }
  hierarchy.problem = "no cgroup around this process (" + hierarchy.own +
                      ") is delegated to this user, who may not write to " + base;
  hierarchy.remedy =
      "run jaula below a cgroup of your own: systemd-run --user --scope -p "
      "Delegate=yes jaula …";
}

// Where the v1 hierarchy of `controller` is: "", or " (bound to cgroup v1 at DIRECTORY)".
std::string held_by_legacy(std::string_view controller, const Sources& sources,
                           const Mounts& mounts, const Membership& own) {
  for (const std::string& set : own.legacy) {
    const auto names = split(set, ',');
    if (std::find(names.begin(), names.end(), controller) == names.end()) continue;
    for (const Mounts::Legacy& v1 : mounts.legacy)
      if (std::find(v1.controllers.begin(), v1.controllers.end(), controller) !=
          v1.controllers.end())
        return " (bound to cgroup v1 at " + v1.directory + ")";
    // The place that everybody mounts it at spares reading mountinfo on every start.
    const std::string usual = sources.conventional + "/" + set;
    if (::access(usual.c_str(), F_OK) == 0) return " (bound to cgroup v1 at " + usual + ")";
    return " (bound to cgroup v1)";
  }
  return {};
}

void explain_missing(Hierarchy& hierarchy, const std::string& base, const std::string& missing) {
  if (missing.empty()) return;
  hierarchy.problem = "cgroup v2 at " + base + " does not offer " + missing;
  if (hierarchy.layout == Layout::kHybrid)
    hierarchy.remedy =
        "boot with systemd.unified_cgroup_hierarchy=1, or unmount the v1 "
        "controllers where nothing uses them";
  else if (hierarchy.delegated)
    hierarchy.remedy =
        "let the manager around us delegate them; for users of systemd, a file in "
        "/etc/systemd/system/user@.service.d/ with the lines [Service] and "
        "Delegate=cpu cpuset io memory pids";
  else
    hierarchy.remedy =
        "enable them in the kernel; /proc/cgroups and cgroup_disable= on its "
        "command line tell why they are off";
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

Hierarchy look(const Sources& sources) {
  Hierarchy found;
  const Mounts mounts = find_mounts(sources);
  const Membership own = parse_own_cgroup(read_or_empty(sources.own_cgroup));
  found.mount = mounts.unified;
  found.own = own.path;
  if (found.mount.empty()) {
    found.layout = own.legacy.empty() ? Layout::kNone : Layout::kLegacy;
    explain_no_mount(found);
    return found;
  }
  found.layout = own.legacy.empty() ? Layout::kUnified : Layout::kHybrid;

  std::string base = delegated_base(found, sources.user);
  found.delegated = !base.empty();
  if (base.empty()) base = found.mount;
  if (::faccessat(AT_FDCWD, base.c_str(), W_OK, AT_EACCESS) != 0) {
    explain_no_access(found, base, errno);
    return found;
  }
  found.delegated = found.delegated || !is_root_of_host(base);
  found.parent = base + "/jaula";
  found.controllers = controllers_of(base);
  std::string missing;
  for (const std::string_view name : kNeeded)
    if (!found.has(name))
      missing.append(missing.empty() ? "" : ", ")
          .append(name)
          .append(held_by_legacy(name, sources, mounts, own));
  explain_missing(found, base, missing);
  return found;
}

}  // namespace jaula::cgroups

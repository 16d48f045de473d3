#include "runtime/join.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#include <algorithm>

#include "runtime/base/sys.h"
#include "runtime/plan/namespaces.h"
#include "runtime/stop.h"

namespace jaula {
namespace {

constexpr std::string_view kJail = "jail:";

Error is_the_hosts(const spec::NamespaceConfig& entry) {
  return Error(0, "the ", entry.type, " namespace of ", *entry.path, " is the host's")
      .hint("say `host`, if that is what is meant");
}

Result<Fd> open_jail(const StateStore& store, const spec::NamespaceConfig& entry) {
  const std::string name = entry.path->substr(kJail.size());
  const Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  // The process behind the pidfd is the jail's, or it is gone and entering fails.
  std::optional<Fd> init;
  if (seen.running && seen.state) init = TRY(open_process(seen.state->init));
  if (!init)
    return Error(0, "the jail ", name, " is not running").hint("`jaula ps -a` shows how it ended");
  const auto& theirs = seen.state->config.namespaces;
  if (std::ranges::none_of(theirs, [&](const auto& other) { return other.type == entry.type; }))
    return is_the_hosts(entry);
  return std::move(*init);
}

// An operator's file, never one of a jail's; whatever lies there, it is a namespace of this type.
Result<Fd> open_file(const spec::NamespaceConfig& entry) {
  const std::string& path = *entry.path;
  Fd file = TRY(sys::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct statfs info;
  if (::fstatfs(file.get(), &info) < 0) return Error(errno, "look at ", path);
  if (info.f_type != NSFS_MAGIC)
    return Error(0, path, " is no namespace")
        .hint("such files are /proc/PID/ns/NAME, and what is bound from there, as in /run/netns");
  const int type = ::ioctl(file.get(), NS_GET_NSTYPE);
  if (type < 0) return Error(errno, "ask for the type of ", path);
  if (static_cast<std::uint64_t>(type) != plan::namespace_flag(entry.type))
    return Error(0, path, " is a namespace of another type than ", entry.type);
  const std::string ours = "/proc/self/ns/" + (entry.type == "network" ? "net" : entry.type);
  const Fd own = TRY(sys::open(ours.c_str(), O_RDONLY));
  const struct stat a = TRY(sys::fstat(file.get()));
  const struct stat b = TRY(sys::fstat(own.get()));
  if (a.st_ino == b.st_ino && a.st_dev == b.st_dev) return is_the_hosts(entry);
  return file;
}

}  // namespace

Result<std::vector<JoinTarget>> open_namespaces(const StateStore& store,
                                                const spec::JailConfig& config) {
  std::vector<JoinTarget> targets;
  for (const spec::NamespaceConfig& entry : config.namespaces) {
    if (!entry.path) continue;
    Result<Fd> opened = entry.path->starts_with(kJail) ? open_jail(store, entry) : open_file(entry);
    if (!opened) return opened.error().in(entry.origin, ": ");
    targets.push_back({.fd = std::move(*opened),
                       .kinds = static_cast<int>(plan::namespace_flag(entry.type)),
                       .origin = entry.origin});
  }
  return targets;
}

}  // namespace jaula

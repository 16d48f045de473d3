#include "isolation/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolation/root_path.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// struct landlock_ruleset_attr of Linux 6.12. An older kernel takes members that it does not know
// as long as they are 0. landlock_create_ruleset(2)
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

// LANDLOCK_RULE_NET_PORT and struct landlock_net_port_attr of Linux 6.7.
constexpr int kRuleNetPort = 2;
struct NetPortAttributes {
  std::uint64_t allowed_access;
  std::uint64_t port;
};

// What can be done to something that is no directory; the kernel takes nothing else for it.
constexpr std::uint64_t kOfFiles =
    kExecuteFile | kWriteFile | kReadFile | kTruncate | kControlDevice;

Result<void> add_rule(int ruleset, int type, const void* attributes) noexcept {
  if (::syscall(SYS_landlock_add_rule, ruleset, type, attributes, 0U) < 0)
    return Error(errno, "add a rule of landlock");
  return {};
}

Result<void> add_path(int ruleset, int root, const PathRule& rule) noexcept {
  const Fd place = TRY(open_in_root(root, rule.path.c_str(), O_PATH));
  const struct stat info = TRY(sys::fstat(place.get()));
  const landlock_path_beneath_attr attributes{
      .allowed_access = S_ISDIR(info.st_mode) ? rule.rights : rule.rights & kOfFiles,
      .parent_fd = place.get()};
  return add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &attributes);
}

Result<void> add_paths(int ruleset, const Landlock& landlock) noexcept {
  if (landlock.paths.empty()) return {};
  const Fd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  int index = 0;
  for (const PathRule& rule : landlock.paths) {
    Result<void> added = add_path(ruleset, root.get(), rule);
    if (!added && !(landlock.skip_missing && added.error().code() == ENOENT)) {
      if (added.error().code() == ENOENT)
        added.error().hint("list what the jail has: its root and its mounts");
      return added.error().in("landlock: ").at(index);
    }
    ++index;
  }
  return {};
}

Result<void> restrict_self(int ruleset, std::uint32_t flags) noexcept {
  if (::syscall(SYS_landlock_restrict_self, ruleset, flags) == 0) return {};
  Error error(errno, "enter a domain of landlock");
  if (error.code() == E2BIG) error.hint("the kernel takes 16 inside one another, jaula's own too");
  return error;
}

}  // namespace

Result<int> landlock_abi() noexcept {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0UL, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 0) return Error(errno, "ask for the ABI of landlock");
  return static_cast<int>(abi);
}

Result<void> apply(const Landlock& landlock) noexcept {
  if ((landlock.files | landlock.tcp | landlock.scopes) == 0) return {};
  const RulesetAttributes attributes{.handled_access_fs = landlock.files,
                                     .handled_access_net = landlock.tcp,
                                     .scoped = landlock.scopes};
  // CLOEXEC from birth, as the kernel makes it.
  const Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0U)));
  if (!ruleset) return Error(errno, "make a ruleset of landlock");
  TRY(add_paths(ruleset.get(), landlock));
  for (const PortRule& rule : landlock.ports) {
    const NetPortAttributes port{.allowed_access = rule.rights, .port = rule.port};
    TRY(add_rule(ruleset.get(), kRuleNetPort, &port));
  }
  return restrict_self(ruleset.get(), landlock.flags);
}

}  // namespace jaula::isolation

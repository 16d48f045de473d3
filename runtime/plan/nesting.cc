#include "runtime/plan/nesting.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/mount.h>

#include "runtime/base/mutant.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/namespaces.h"
#include "runtime/plan/seccomp_policy.h"

namespace jaula::plan {
namespace {

using spec::JailConfig;
using spec::SeccompProfile;

// What makes namespaces, and the file systems in them. A session keyring is the one key that a jail
// makes: keyctl is refused otherwise.
spec::SeccompLists calls_of_a_start() {
  spec::SeccompLists lists;
  std::vector<spec::SeccompEntry>& allow = lists.allow.emplace();
  allow.push_back({.name = "default"});
  for (const char* name :
       {"clone", "clone3", "fsconfig", "fsmount", "fsopen", "fspick", "listmount", "mount",
        "mount_setattr", "move_mount", "open_tree", "open_tree_attr", "pivot_root", "setdomainname",
        "sethostname", "setns", "statmount", "umount2", "unshare"})
    allow.push_back({.name = name, .whole = true});
  allow.push_back({.name = "keyctl",
                   .whole = true,
                   .args = {{.index = 0, .value = KEYCTL_JOIN_SESSION_KEYRING}}});
  return lists;
}

}  // namespace

void lower_nesting(const spec::ServiceSpec& service, JailConfig& config,
                   std::vector<Error>& problems) {
  if (!service.nesting || service.nesting->value == 0) return;
  config.extra.nesting = static_cast<std::uint32_t>(service.nesting->value);
  const std::string origin = service.nesting->origin.text();
  const auto refuse = [&](const char* why, const char* remedy) {
    problems.push_back(Error(0, origin, ": `nesting` needs ", why).hint(remedy));
  };
  if (!has_own_namespace(config, "user"))
    refuse("a user namespace: without one root inside is root", "leave `userns_mode: host` out");
  if (!has_own_namespace(config, "pid"))
    refuse("a pid namespace of the jail's own, for the /proc of those inside", "leave `pid` out");
  if (!has_own_namespace(config, "network"))
    refuse("a network of the jail's own, for the /sys of those inside", "leave `network_mode` out");
  if (config.extra.seccomp == SeccompProfile::kStrict)
    refuse("calls that `seccomp: strict` refuses", "set `seccomp: default`");
  if (config.extra.seccomp != SeccompProfile::kDefault) return;
  config.seccomp =
      lower_lists(calls_of_a_start(), capability_mask(config.process.capabilities.bounding));
  config.extra.seccomp = SeccompProfile::kLists;
}

std::vector<isolation::Sysctl> nesting_sysctls(const JailConfig& config) {
  if (!has_own_namespace(config, "user") || mutant("no namespaces")) return {};
  if (config.extra.nesting > 0)
    return {{"user/max_user_namespaces", std::to_string(config.extra.nesting * kNamespacesPerLevel),
             ""}};
  std::vector<isolation::Sysctl> sysctls = {{"user/max_user_namespaces", "0", ""}};
  // The others take CAP_SYS_ADMIN, which nobody has where there is no user namespace to get it in.
  // Not those of mounts: the kernel counts every new file system of fsmount(2) as one, ours too.
  const std::uint64_t held = capability_mask(config.process.capabilities.bounding);
  if ((held >> CAP_SYS_ADMIN & 1) == 0) return sysctls;
  for (const char* kind : {"cgroup", "ipc", "net", "pid", "time", "uts"})
    sysctls.push_back({std::string("user/max_") + kind + "_namespaces", "0", ""});
  return sysctls;
}

void add_for_nesting(isolation::MountPlan& plan, std::uint64_t attributes) {
  using Kind = isolation::MountOp::Kind;
  plan.ops.push_back({.kind = Kind::kFileSystem,
                      .source = "proc",
                      .target = "dev/.nesting/proc",
                      .attributes = attributes});
  plan.ops.push_back({.kind = Kind::kFileSystem,
                      .source = "sysfs",
                      .target = "dev/.nesting/sys",
                      .attributes = attributes | MOUNT_ATTR_RDONLY});
  plan.ops.push_back({.kind = Kind::kMask, .target = "dev/.nesting"});
}

std::vector<Error> check_nesting(const JailConfig& config, const HostFacts& facts) {
  const std::uint64_t wanted = config.extra.nesting * kNamespacesPerLevel;
  if (wanted == 0 || facts.max_user_namespaces > wanted) return {};
  return {Error(0, "`nesting: ", config.extra.nesting, "` is deeper than what is left here: ",
                facts.max_user_namespaces, " user namespaces (user.max_user_namespaces)")
              .hint("in a jail it is less than that jail's own; on a host raise the sysctl")};
}

}  // namespace jaula::plan

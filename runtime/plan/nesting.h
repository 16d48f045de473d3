// `nesting`: whether namespaces can be made in a jail. Without it the kernel counts to zero; with
// it a jail gets what `jaula run` needs in it. Parent side. namespaces(7) (/proc/sys/user),
// user_namespaces(7)
#pragma once

#include <vector>

#include "isolation/mounts.h"
#include "isolation/sysctls.h"
#include "runtime/base/error.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

// User namespaces that a user of the jail can have at a time, for each level. The kernel counts
// them, not how deep they are.
inline constexpr std::uint64_t kNamespacesPerLevel = 64;

// After the namespaces, and in place of what `seccomp: default` refuses.
void lower_nesting(const spec::ServiceSpec& service, spec::JailConfig& config,
                   std::vector<Error>& problems);

// What the jail's user namespace, which must be there, lets itself be given.
std::vector<isolation::Sysctl> nesting_sysctls(const spec::JailConfig& config);

// The kernel gives a procfs or a sysfs away inside a user namespace where there is one already that
// nothing covers ("mount too revealing"). One of each stands where no path leads.
void add_for_nesting(isolation::MountPlan& plan, std::uint64_t attributes);

// A jail in a jail has less levels than that has.
std::vector<Error> check_nesting(const spec::JailConfig& config, const HostFacts& facts);

}  // namespace jaula::plan

#include "runtime/plan/seccomp.h"

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/seccomp_compile.h"
#include "runtime/plan/seccomp_policy.h"
#include "runtime/plan/seccomp_text.h"

namespace jaula::plan {
namespace {

using spec::SeccompProfile;

// Calls that some arguments get through with.
auto count_reachable(const Policy& policy) {
  return std::count_if(policy.actions.begin(), policy.actions.end(), [](Action action) {
    return action == Action::kAllow || action == Action::kByArguments ||
           action == Action{SECCOMP_RET_LOG};
  });
}

std::string describe(const std::string& name, const Policy& policy) {
  return "seccomp: " + name + ", " + std::to_string(count_reachable(policy)) + " syscalls, " +
         std::to_string(compile(policy).size()) + " instructions";
}

}  // namespace

std::vector<sock_filter> compile_seccomp(SeccompProfile profile, std::uint64_t capabilities,
                                         bool limits_tcp) {
  if (profile == SeccompProfile::kUnconfined) return {};
  return compile(make_policy(profile, capabilities, limits_tcp));
}

std::vector<sock_filter> compile_seccomp(const spec::SeccompConfig& config) {
  return compile(make_policy(config).policy);
}

std::vector<sock_filter> compile_seccomp(const spec::JailConfig& config, std::uint64_t capabilities,
                                         bool limits_tcp) {
  return config.seccomp ? compile_seccomp(*config.seccomp)
                        : compile_seccomp(config.extra.seccomp, capabilities, limits_tcp);
}

// EPERM alone: a listener learns nothing of the errno, and what says "not there" (ENOSYS,
// EAFNOSUPPORT) is asked for all day by programs that have another way.
std::vector<sock_filter> report_denials(std::vector<sock_filter> filter) {
  bool any = false;
  for (sock_filter& instruction : filter) {
    if (instruction.code != (BPF_RET | BPF_K) ||
        instruction.k != static_cast<std::uint32_t>(Action::kNotPermitted))
      continue;
    instruction.k = SECCOMP_RET_USER_NOTIF;
    any = true;
  }
  if (!any) filter.clear();
  return filter;
}

bool lets_hand_over(const spec::SeccompConfig& config) {
  const Action action =
      make_policy(config).policy.actions[static_cast<std::size_t>(spec::syscall_number("sendmsg"))];
  return action == Action::kAllow || action == Action{SECCOMP_RET_LOG};
}

std::string describe_seccomp(SeccompProfile profile, std::uint64_t capabilities, bool limits_tcp) {
  if (profile == SeccompProfile::kUnconfined) return "seccomp: unconfined";
  return describe(profile == SeccompProfile::kStrict ? "strict" : "default",
                  make_policy(profile, capabilities, limits_tcp));
}

std::string print_rules(const spec::JailConfig& config, bool limits_tcp) {
  if (config.seccomp) return rules_text(make_policy(*config.seccomp).policy);
  if (config.extra.seccomp == SeccompProfile::kUnconfined) return {};
  return rules_text(make_policy(config.extra.seccomp,
                                capability_mask(config.process.capabilities.bounding), limits_tcp));
}

std::string print_bpf(const spec::JailConfig& config, bool limits_tcp) {
  return disassemble(
      compile_seccomp(config, capability_mask(config.process.capabilities.bounding), limits_tcp));
}

std::string describe_seccomp(const spec::JailConfig& config, std::uint64_t capabilities,
                             bool limits_tcp) {
  if (!config.seccomp) return describe_seccomp(config.extra.seccomp, capabilities, limits_tcp);
  return describe(
      config.extra.seccomp_file ? "file " + escaped(*config.extra.seccomp_file) : "lists",
      make_policy(*config.seccomp).policy);
}

}  // namespace jaula::plan

#include "runtime/plan/seccomp.h"

#include <algorithm>

#include "runtime/plan/seccomp_compile.h"
#include "runtime/plan/seccomp_profile.h"

namespace jaula::plan {
namespace {

using spec::SeccompProfile;

// Calls that some arguments get through with.
auto count_reachable(const Policy& policy) {
  return std::count_if(policy.actions.begin(), policy.actions.end(), [](Action action) {
    return action == Action::kAllow || action == Action::kByArguments;
  });
}

}  // namespace

std::vector<sock_filter> compile_seccomp(SeccompProfile profile, std::uint64_t capabilities,
                                         bool limits_tcp) {
  if (profile == SeccompProfile::kUnconfined) return {};
  return compile(make_policy(profile, capabilities, limits_tcp));
}

std::string describe_seccomp(SeccompProfile profile, std::uint64_t capabilities, bool limits_tcp) {
  if (profile == SeccompProfile::kUnconfined) return "seccomp: unconfined";
  const Policy policy = make_policy(profile, capabilities, limits_tcp);
  return std::string("seccomp: ") + (profile == SeccompProfile::kStrict ? "strict" : "default") +
         ", " + std::to_string(count_reachable(policy)) + " syscalls, " +
         std::to_string(compile(policy).size()) + " instructions";
}

}  // namespace jaula::plan

// `privileged` in a spec: which sets, filter and masks come out of it, and what contradicts it.
#include <doctest/doctest.h>

#include "runtime/plan/launch_plan.h"
#include "tests/unit/hosts.h"
#include "tests/unit/plans.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using spec::JailConfig;

std::string counts(const JailConfig& config) {
  const spec::CapabilitySets& sets = config.process.capabilities;
  std::string text;
  for (const auto* set :
       {&sets.inheritable, &sets.permitted, &sets.effective, &sets.bounding, &sets.ambient})
    text += (text.empty() ? "" : " ") + std::to_string(set->size());
  return text;
}

}  // namespace

TEST_CASE("privileged: all capabilities, no filter, no masks, no no_new_privs") {
  const Services services;
  const JailConfig config = services.config("privileged: true");
  CHECK_EQ(counts(config), "0 41 41 41 0");
  CHECK(config.extra.seccomp == spec::SeccompProfile::kUnconfined);
  CHECK_FALSE(config.process.no_new_privileges);
  CHECK(config.masked_paths.empty());
  CHECK(config.readonly_paths.empty());
  CHECK(config.extra.userns == spec::UserNamespace::Mode::kAuto);
  const JailConfig off = services.config("privileged: false");
  CHECK_EQ(counts(off), "0 7 7 7 0");
  CHECK(off.process.no_new_privileges);
}

TEST_CASE("privileged: the spec's own words take the place of what it gives") {
  const Services services;
  const JailConfig config = services.config(
      "privileged: true\ncap_drop: [CHOWN]\nseccomp: default\nmask: [/proc/keys]\n"
      "security_opt: [no-new-privileges, unmask=/proc/none]");
  CHECK_EQ(counts(config), "0 40 40 40 0");
  CHECK(config.extra.seccomp == spec::SeccompProfile::kDefault);
  CHECK(config.process.no_new_privileges);
  CHECK_EQ(joined(config.masked_paths), "/proc/keys");
}

TEST_CASE("privileged: a user who is not root is bounded by all, and holds what was added") {
  const Services services;
  CHECK_EQ(counts(services.config("privileged: true\nuser: web")), "0 0 0 41 0");
  CHECK_EQ(counts(services.config("privileged: true\nuser: web\ncap_add: [CHOWN]")), "1 1 1 41 1");
  JailConfig config = services.config("privileged: true");
  plan::set_user(config, *plan::find_user(kAccounts, "web"), kAccounts);
  CHECK_EQ(counts(config), "0 0 0 41 0");
  config = services.config("privileged: true\nuser: web\ncap_add: [CHOWN]");
  plan::set_user(config, *plan::find_user(kAccounts, "0"), kAccounts);
  CHECK_EQ(counts(config), "0 41 41 41 0");
}

TEST_CASE("privileged: ALL dropped and the strict filter contradict it") {
  const Services services;
  CHECK_EQ(services.problems(
               services.lower("rootfs: host\nprivileged: true\ncap_drop: [ALL]\nseccomp: strict")
                   .problems),
           "web.yaml:6:16: services.web.cap_drop[0]: ALL contradicts `privileged: true`\n"
           "web.yaml:7:14: services.web.seccomp: strict contradicts `privileged: true`\n");
}

TEST_CASE("privileged: it is told, and /sys is written to by root of the machine alone") {
  const Services services;
  const auto sys = [](const plan::LaunchPlan& plan) {
    for (const isolation::MountOp& op : plan.mounts.ops)
      if (op.target == "sys") return op.attributes;
    return ~std::uint64_t{0};
  };
  const plan::LaunchPlan own =
      plan::make_plan(services.config("privileged: true"), root_host(), options()).plan;
  const plan::LaunchPlan host =
      plan::make_plan(services.config("privileged: true\nuserns_mode: host"), root_host(),
                      options())
          .plan;
  REQUIRE_EQ(own.degraded.size(), 1);
  CHECK(own.degraded[0].starts_with("privileged: "));
  REQUIRE_EQ(host.degraded.size(), 1);
  CHECK(host.degraded[0].starts_with(
      "privileged with `userns_mode: host`: root of this jail is root"));
  constexpr std::uint64_t kReadOnly = 1;  // MOUNT_ATTR_RDONLY
  CHECK_EQ(sys(own) & kReadOnly, kReadOnly);
  CHECK_EQ(sys(host) & kReadOnly, 0);
}

}  // namespace jaula::test

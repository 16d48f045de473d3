// Limits where a configuration meets a host: kept, refused, or done without, and told.
#include <doctest/doctest.h>
#include <errno.h>
#include <sys/resource.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/hosts.h"
#include "tests/unit/plans.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using plan::HostFacts;
using plan::make_plan;
using plan::Planned;

HostFacts with_controllers(std::vector<std::string> controllers) {
  HostFacts host = root_host();
  host.cgroups.controllers = std::move(controllers);
  host.cgroups.problem = "something is missing";
  host.cgroups.remedy = "give it back";
  return host;
}

}  // namespace

TEST_CASE(
    "plan: without cgroups a limit that was asked for is refused, or done without if it may") {
  const Services services;
  const std::string keys = "mem_limit: 64m\npids_limit: 32\n";
  const std::string none = "no cgroup can be made for the jail: cgroup v2 is not mounted\n";
  const std::string limits =
      "web.yaml:5:16: services.web.mem_limit: cannot be enforced: no memory controller; cgroup v2 "
      "is not mounted\n"
      "web.yaml:6:17: services.web.pids_limit: cannot be enforced: no pids controller; cgroup v2 "
      "is not mounted\n";
  const HostFacts host = without_cgroups(root_host());
  Planned planned = make_plan(services.config(keys), host, options());
  CHECK_EQ(services.problems(planned.problems), none + limits);
  for (const Error& problem : planned.problems) CHECK_EQ(problem.hint_text(), "mount it");
  CHECK_EQ(joined(planned.plan.degraded), "");

  for (const bool by_flag : {true, false}) {
    CAPTURE(by_flag);
    const std::string require = by_flag ? "" : "require: [seccomp, userns]\n";
    planned = make_plan(services.config(keys + require), host, options(by_flag));
    CHECK_EQ(services.problems(planned.problems), "");
    CHECK_EQ(services.without_directory(joined(planned.plan.degraded, "\n")) + "\n", none + limits);
    CHECK_FALSE(planned.plan.in_cgroup);
    CHECK_EQ(writes(planned.plan), "");
    // A limit of the spec's is not replaced by another that counts differently.
    CHECK_EQ(rlimit(planned.plan, RLIMIT_NPROC), "");
  }
}

TEST_CASE("plan: a controller that is missing stops its own limit alone") {
  const Services services;
  const spec::JailConfig config =
      services.config("mem_limit: 64m\ncpu_shares: 512\npids_limit: 32");
  const Planned planned = make_plan(config, with_controllers({"memory", "pids"}), options());
  CHECK_EQ(
      services.problems(planned.problems),
      "web.yaml:6:17: services.web.cpu_shares: cannot be enforced: no cpu controller; something "
      "is missing\n");
  CHECK_EQ(planned.problems[0].hint_text(), "give it back");
  CHECK_EQ(writes(planned.plan),
           "memory.swap.max=0, memory.oom.group=1, memory.max=67108864, pids.max=32");
}

TEST_CASE("plan: the default bound of processes falls back to one for each user, and says so") {
  const Services services;
  const std::string told =
      "pids: the default limit of 2048 holds for each user of the jail, not for all together: no "
      "pids controller";
  HostFacts host = with_controllers({"memory"});
  Planned planned = make_plan(services.config(), host, options());
  CHECK_EQ(services.problems(planned.problems), "");
  CHECK_EQ(joined(planned.plan.degraded), told);
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NPROC), "2048/2048");
  CHECK_EQ(writes(planned.plan), "");
  CHECK_EQ(planned.plan.rlimits.size(), planned.plan.rlimit_origins.size());

  host.max_processes = 500;  // of this process, which only goes down
  CHECK_EQ(rlimit(make_plan(services.config(), host, options()).plan, RLIMIT_NPROC), "500/500");

  planned = make_plan(services.config("ulimits:\n  nproc: 7"), host, options());
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NPROC), "7/7");
  CHECK_EQ(joined(planned.plan.degraded),
           "pids: the default limit of 2048 gives way to `ulimits: nproc`: no pids controller");

  CHECK_EQ(rlimit(make_plan(services.config(), root_host(), options()).plan, RLIMIT_NPROC), "");
  planned = make_plan(services.config("pids_limit: -1"), host, options());
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NPROC), "");
  CHECK_EQ(joined(planned.plan.degraded), "");
}

TEST_CASE("plan: rlimits are the kernel's numbers, with their lines; an unknown one is a problem") {
  const Services services;
  spec::JailConfig config =
      services.config("ulimits:\n  nofile: {soft: 10, hard: 20}\n  stack: -1");
  Planned planned = make_plan(config, root_host(), options());
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NOFILE), "10/20");
  CHECK_EQ(rlimit(planned.plan, RLIMIT_STACK),
           std::to_string(UINT64_MAX) + "/" + std::to_string(UINT64_MAX));
  Error error(EPERM, "set resource limit");
  error.at(1);
  CHECK_EQ(services.problems({plan::with_rlimit_origin(error, planned.plan)}),
           "web.yaml:6:15: services.web.ulimits.nofile: set resource limit: Operation not "
           "permitted\n");
  error.at(0);  // of the default profile
  CHECK_EQ(plan::with_rlimit_origin(error, planned.plan).text(), "set resource limit");
  config.process.rlimits.push_back({"RLIMIT_LUCK", 1, 1, "config.json"});
  planned = make_plan(config, root_host(), options());
  CHECK_EQ(services.problems(planned.problems), "config.json: unknown limit RLIMIT_LUCK\n");
}

TEST_CASE("plan: every problem is told at once") {
  const Services services;
  spec::JailConfig config =
      services.config("mem_limit: 64m\nuserns_mode: host\nvolumes: [./gone:/data]\npids_limit: 5");
  const Planned planned = make_plan(config, without_cgroups(user_with_one_id()), options());
  CHECK_EQ(planned.problems.size(), 5);  // the volume, the namespace, the cgroup, two limits
}

}  // namespace jaula::test

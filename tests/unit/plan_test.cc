// Where a configuration meets a host: what is planned for a jail and for a process that joins it.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/plan/launch_plan.h"
#include "runtime/plan/mounts.h"
#include "tests/unit/hosts.h"
#include "tests/unit/plans.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using plan::LaunchPlan;
using plan::make_exec_plan;
using plan::make_plan;
using plan::Planned;

constexpr std::uint64_t kSix =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

std::string sysctls(const LaunchPlan& plan) {
  std::string text;
  for (const isolation::Sysctl& sysctl : plan.sysctls)
    text += (text.empty() ? "" : ", ") + sysctl.path + "=" + sysctl.value;
  return text;
}

}  // namespace

TEST_CASE("plan: on a host that has everything, nothing is refused and nothing is done without") {
  const Services services;
  const Planned planned =
      make_plan(services.config("mem_limit: 64m\ncpus: 2\npids_limit: 32"), root_host(), options());
  CHECK_EQ(services.problems(planned.problems), "");
  CHECK_EQ(joined(planned.plan.degraded), "");
  CHECK(planned.plan.in_cgroup);
  CHECK(planned.plan.cgroup_namespace);
  CHECK(planned.plan.loopback);
  CHECK(planned.plan.init);
  CHECK_EQ(planned.plan.namespaces, kSix);
  CHECK_EQ(planned.plan.ids.uid_map, "0 524288 65536\n");
  CHECK_EQ(planned.plan.hostname.host, "web-1");
  CHECK_EQ(writes(planned.plan),
           "memory.swap.max=0, memory.oom.group=1, memory.max=67108864, cpu.max=200000 100000, "
           "pids.max=32");
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NPROC), "");
  CHECK_EQ(rlimit(planned.plan, RLIMIT_CORE), "0/0");
  CHECK_FALSE(planned.plan.seccomp.instructions.empty());
}

TEST_CASE("plan: namespaces are those of the config; the cgroup's is made inside") {
  const Services services;
  struct Row {
    std::string keys;
    std::uint64_t flags;
    bool loopback;
  };
  const Row rows[] = {{"network_mode: host", kSix & ~std::uint64_t{CLONE_NEWNET}, false},
                      {"network_mode: none", kSix, true},
                      {"userns_mode: host", kSix & ~std::uint64_t{CLONE_NEWUSER}, true},
                      {"pid: host", kSix & ~std::uint64_t{CLONE_NEWPID}, true},
                      {"network_mode: jail:a", kSix & ~std::uint64_t{CLONE_NEWNET}, false}};
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    const LaunchPlan plan = make_plan(services.config(row.keys), root_host(), options()).plan;
    CHECK_EQ(plan.namespaces, row.flags);
    CHECK_EQ(plan.loopback, row.loopback);
    CHECK(plan.cgroup_namespace);
  }
}

TEST_CASE("plan: what is joined is entered before the clone, and takes root") {
  const Services services;
  const spec::JailConfig config =
      services.config("network_mode: jail:a\npid: jail:a\ncgroup: host");
  const LaunchPlan plan = make_plan(config, root_host(), options()).plan;
  CHECK_EQ(plan.joined, std::uint64_t{CLONE_NEWNET | CLONE_NEWPID});
  CHECK(plan.place == isolation::InitPlace::kAmongOthers);
  CHECK_FALSE(plan.cgroup_namespace);
  CHECK_EQ(services.problems(make_plan(config, user_with_ranges(), options()).problems),
           "web.yaml:6:10: services.web.pid: join the pid namespace of jail:a: Operation not "
           "permitted\nweb.yaml:5:19: services.web.network_mode: join the network namespace of "
           "jail:a: Operation not permitted\n");
}

TEST_CASE("plan: without a pid namespace of its own a jail needs a cgroup, whatever it requires") {
  const Services services;
  const auto problems = [&](const std::string& keys) {
    return services.problems(
        make_plan(services.config(keys), without_cgroups(root_host()), options(true)).problems);
  };
  CHECK_EQ(problems(""), "");
  CHECK(problems("pid: host")
            .starts_with("web.yaml:5:10: services.web.pid: without a pid namespace of its own a "
                         "jail needs a cgroup"));
}

TEST_CASE("plan: a time namespace has its offsets as the kernel reads them") {
  const Services services;
  const LaunchPlan plan =
      make_plan(services.config("namespaces: {time: {boottime: 1h}}"), root_host(), options()).plan;
  CHECK(plan.time.own);
  CHECK_EQ(plan.time.offsets, "monotonic 0 0\nboottime 3600 0\n");
  CHECK_EQ(plan.namespaces, kSix);
  CHECK_FALSE(make_plan(services.config(), root_host(), options()).plan.time.own);
}

TEST_CASE("plan: volumes are mapped to the jail's ids by who may do that, where there are ids") {
  const Services services;
  const auto mapped = [&](const std::string& keys, const plan::HostFacts& host) {
    const LaunchPlan plan =
        make_plan(services.config("volumes: [\"/usr:/data\"]\n" + keys), host, options()).plan;
    return plan::sources_made_outside(plan.mounts).size();
  };
  CHECK_EQ(mapped("", root_host()), 1);
  CHECK_EQ(mapped("userns_mode: host", root_host()), 0);
  CHECK_EQ(mapped("", user_with_ranges()), 0);
  plan::HostFacts nested = root_host();
  nested.initial_user_namespace = false;
  CHECK_EQ(mapped("", nested), 0);
}

TEST_CASE(
    "plan: no user namespace takes privilege, and its lack names the line that asked for it") {
  const Services services;
  const spec::JailConfig config = services.config("userns_mode: host");
  CHECK_EQ(services.problems(make_plan(config, root_host(), options()).problems), "");
  const Planned planned = make_plan(config, user_with_ranges(), options());
  CHECK_EQ(services.problems(planned.problems),
           "web.yaml:5:18: services.web.userns_mode: `userns_mode: host` without root: Operation "
           "not permitted\n");
  CHECK_EQ(planned.problems[0].hint_text(), "leave it out, or start as root");
}

TEST_CASE("plan: a user with a range is root of it, and one with a single id is warned") {
  const Services services;
  Planned planned = make_plan(services.config(), user_with_ranges(), options());
  CHECK_EQ(services.problems(planned.problems), "");
  CHECK_EQ(joined(planned.plan.degraded), "");
  CHECK(planned.plan.ids.use_helpers);
  CHECK(planned.plan.credentials.set_groups);

  planned = make_plan(services.config("user: web"), user_with_one_id(), options());
  CHECK_EQ(services.problems(planned.problems), "");
  REQUIRE_EQ(planned.plan.degraded.size(), 1);
  CHECK(planned.plan.degraded[0].starts_with("one id alone is mapped"));
  CHECK_FALSE(planned.plan.credentials.set_groups);
  CHECK_EQ(planned.plan.root_uid, 33);
  CHECK_EQ(planned.plan.root_gid, 34);
}

TEST_CASE("plan: a network of the jail's own is open to its users, and the spec's sysctls follow") {
  const Services services;
  const std::string keys = "sysctls: [net.core.somaxconn=9, kernel.shmmax=5]\n";
  LaunchPlan plan = make_plan(services.config(keys), root_host(), options()).plan;
  CHECK_EQ(sysctls(plan),
           "net/ipv4/ip_unprivileged_port_start=0, net/ipv4/ping_group_range=0 65535, "
           "user/max_user_namespaces=0, "
           "net/core/somaxconn=9, kernel/shmmax=5");
  CHECK_EQ(services.without_directory(plan.sysctls[3].origin),
           "web.yaml:5:15: services.web.sysctls[0]");
  plan = make_plan(services.config("user: web"), user_with_one_id(), options()).plan;
  CHECK_EQ(sysctls(plan),
           "net/ipv4/ip_unprivileged_port_start=0, net/ipv4/ping_group_range=34 34, "
           "user/max_user_namespaces=0");
  plan = make_plan(services.config("network_mode: host"), root_host(), options()).plan;
  CHECK_EQ(sysctls(plan), "user/max_user_namespaces=0");
  // The machine's own count is nobody's to set.
  plan = make_plan(services.config("network_mode: host\nuserns_mode: host"), root_host(), options())
             .plan;
  CHECK_EQ(sysctls(plan), "");
}

TEST_CASE("plan: nesting is counted down, and without it who could make other kinds makes none") {
  const Services services;
  const auto planned = [&](const std::string& keys, std::uint64_t most = UINT64_MAX) {
    plan::HostFacts host = root_host();
    host.max_user_namespaces = most;
    return make_plan(services.config("network_mode: none\n" + keys), host, options());
  };
  CHECK(sysctls(planned("nesting: 2").plan).ends_with("user/max_user_namespaces=128"));
  CHECK(sysctls(planned("cap_add: [SYS_ADMIN]").plan)
            .ends_with("user/max_user_namespaces=0, user/max_cgroup_namespaces=0, "
                       "user/max_ipc_namespaces=0, "
                       "user/max_net_namespaces=0, user/max_pid_namespaces=0, "
                       "user/max_time_namespaces=0, user/max_uts_namespaces=0"));
  CHECK_EQ(services.problems(planned("nesting: 1", 128).problems), "");
  CHECK_EQ(services.problems(planned("nesting: 2", 128).problems),
           "`nesting: 2` is deeper than what is left here: 128 user namespaces "
           "(user.max_user_namespaces)\n");
}

TEST_CASE("plan: the payload is searched in the jail's PATH, or where its name says") {
  const Services services;
  spec::JailConfig config = services.config("environment: [PATH=/a::/b]\nworking_dir: /srv");
  const LaunchPlan plan = make_plan(config, root_host(), options()).plan;
  CHECK_EQ(joined(plan.payload.candidates), "/a/httpd ./httpd /b/httpd");
  CHECK_EQ(plan.payload.working_directory, "/srv");
  CHECK_EQ(services.without_directory(plan.payload.directory_origin),
           "web.yaml:6:18: services.web.working_dir");
  REQUIRE_EQ(plan.payload.argv.size(), 3);
  CHECK_EQ(std::string(plan.payload.argv[1]), "-f");
  CHECK_EQ(plan.payload.argv[2], nullptr);
  config.process.args = {"./server"};
  CHECK_EQ(joined(make_plan(config, root_host(), options()).plan.payload.candidates), "./server");
}

TEST_CASE("plan: with a terminal there is a TERM, the spec's own where it has one") {
  const Services services;
  for (const std::string mine : {"", "environment: [TERM=vt100]"}) {
    spec::JailConfig config = services.config(mine);
    config.process.terminal = true;
    const LaunchPlan plan = make_plan(config, root_host(), options()).plan;
    const auto& words = plan.payload.environment;
    CHECK_EQ(std::count(words.begin(), words.end(), "TERM=xterm"), mine.empty() ? 1 : 0);
    CHECK_EQ(plan.payload.envp.size(), words.size() + 1);
  }
}

TEST_CASE("exec plan: the jail's identity, filter and limits, and no mounts, cgroup or reaper") {
  const Services services;
  const spec::JailConfig config =
      services.config("user: web\ncap_add: [KILL]\nulimits:\n  nofile: 9\nmem_limit: 64m");
  const Planned jail = make_plan(config, root_host(), options());
  const Planned planned = make_exec_plan(config, without_cgroups(root_host()), options());
  // What the host lacks was told when the jail was started.
  CHECK_EQ(services.problems(planned.problems), "");
  CHECK_EQ(joined(planned.plan.degraded), "");
  const spec::JailConfig one = services.config();
  CHECK_NE(joined(make_plan(one, user_with_one_id(), options()).plan.degraded), "");
  CHECK_EQ(joined(make_exec_plan(one, user_with_one_id(), options()).plan.degraded), "");
  CHECK_EQ(planned.plan.namespaces, jail.plan.namespaces);
  CHECK_EQ(planned.plan.credentials.uid, 33);
  CHECK_EQ(planned.plan.credentials.groups, std::vector<gid_t>{34, 60});
  CHECK_EQ(planned.plan.credentials.bounding, std::uint64_t{1} << CAP_KILL);
  CHECK_EQ(planned.plan.credentials.ambient, std::uint64_t{1} << CAP_KILL);
  CHECK(planned.plan.credentials.no_new_privs);
  CHECK_EQ(planned.plan.seccomp.instructions.size(), jail.plan.seccomp.instructions.size());
  CHECK_EQ(rlimit(planned.plan, RLIMIT_NOFILE), "9/9");
  CHECK(planned.plan.mounts.ops.empty());
  CHECK_EQ(writes(planned.plan), "");
  CHECK_FALSE(planned.plan.init);
}

}  // namespace jaula::test

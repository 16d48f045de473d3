// What a spec asks of Landlock, against what kernels of each ABI have.
#include "runtime/plan/landlock.h"

#include <doctest/doctest.h>
#include <errno.h>

#include "runtime/plan/launch_plan.h"
#include "runtime/plan/lower.h"

namespace jaula::test {
namespace {

using namespace spec;
using namespace isolation;
using Strings = std::vector<std::string>;

constexpr std::uint64_t kReading = kReadFile | kReadDirectory;

Extra asking_for_all() {
  Extra extra;
  extra.landlock_origin = "web.yaml:4:5";
  extra.landlock = spec::Landlock{
      .paths = {{.access = FileAccess::kExecute, .path = "/usr", .origin = "web.yaml:5:14"},
                {.access = FileAccess::kRead, .path = "/etc", .origin = "web.yaml:6:12"},
                {.access = FileAccess::kWrite, .path = "/tmp", .origin = "web.yaml:7:12"}},
      .connect_tcp = std::vector<std::uint32_t>{},
      .bind_tcp = std::vector<std::uint32_t>{80, 8080},
      .scopes = {LandlockScope::kSignal, LandlockScope::kAbstractUnixSocket}};
  return extra;
}

plan::HostFacts kernel_of(int abi, int error = 0) {
  plan::HostFacts facts;
  facts.landlock_abi = abi;
  facts.landlock_error = error;
  return facts;
}

Strings texts(const std::vector<Error>& errors) {
  Strings texts;
  for (const Error& error : errors) texts.emplace_back(error.text());
  return texts;
}

const std::string kAt = "web.yaml:4:5: ";
const std::string kTruncates =
    kAt +
    "files cannot be kept from being truncated: that needs Landlock ABI 3, and this "
    "kernel's is ";
const std::string kPorts =
    kAt + "TCP ports cannot be held back: that needs Landlock ABI 4, and this kernel's is ";
const std::string kScopes =
    kAt +
    "signals and abstract UNIX sockets cannot be held back: that needs Landlock ABI 6, and "
    "this kernel's is ";

}  // namespace

TEST_CASE("landlock: a kernel of ABI 7 does all that is asked for, a rule a line") {
  const Extra extra = asking_for_all();
  const plan::LandlockPlan plan = make_landlock_plan(extra, kernel_of(7));
  CHECK(plan.lacking.empty());
  CHECK(plan.rules.files == 0xffff);
  CHECK(plan.rules.tcp == (kBindTcp | kConnectTcp));
  CHECK(plan.rules.scopes == (kSignals | kAbstractUnixSockets));
  CHECK(plan.rules.flags == kNoAuditOfSubdomains);
  REQUIRE(plan.rules.paths.size() == 3);
  CHECK(plan.rules.paths[0].rights == (kReading | kExecuteFile));
  CHECK(plan.rules.paths[1].rights == kReading);
  CHECK(plan.rules.paths[1].origin == "web.yaml:6:12");
  CHECK(plan.rules.paths[2].rights == (0xffff & ~std::uint64_t{kExecuteFile}));
  REQUIRE(plan.rules.ports.size() == 2);
  CHECK(plan.rules.ports[1].port == 8080);
  CHECK(plan.rules.ports[1].rights == kBindTcp);
  CHECK(plan::describe_landlock(*extra.landlock, plan.rules) ==
        Strings{"exec /usr", "ro /etc", "rw /tmp", "connect_tcp none", "bind_tcp 80",
                "bind_tcp 8080", "scope signal", "scope abstract_unix_socket"});
}

TEST_CASE("landlock: what is not asked for is not handled, and no ABI is needed for it") {
  Extra extra;
  extra.landlock =
      spec::Landlock{.paths = {}, .connect_tcp = {}, .bind_tcp = {{443}}, .scopes = {}};
  const plan::LandlockPlan ports = make_landlock_plan(extra, kernel_of(4));
  CHECK(ports.lacking.empty());
  CHECK(ports.rules.files == 0);
  CHECK(ports.rules.tcp == kBindTcp);
  CHECK(ports.rules.scopes == 0);
  CHECK(ports.rules.flags == 0);
  extra.landlock =
      spec::Landlock{.paths = {{.path = "/usr"}}, .connect_tcp = {}, .bind_tcp = {}, .scopes = {}};
  CHECK(make_landlock_plan(extra, kernel_of(3)).lacking.empty());
  CHECK(make_landlock_plan(extra, kernel_of(3)).rules.tcp == 0);
}

TEST_CASE("landlock: each ABI below is told what it lacks, and gets what it has") {
  const Extra extra = asking_for_all();
  const auto lacking = [&](int abi) {
    return texts(make_landlock_plan(extra, kernel_of(abi)).lacking);
  };
  const auto rules = [&](int abi) { return make_landlock_plan(extra, kernel_of(abi)).rules; };
  CHECK(lacking(1) == Strings{kTruncates + "1", kPorts + "1", kScopes + "1"});
  CHECK(lacking(3) == Strings{kPorts + "3", kScopes + "3"});
  CHECK(lacking(5) == Strings{kScopes + "5"});
  CHECK(lacking(6).empty());
  CHECK(rules(1).files == 0x1fff);
  CHECK(rules(2).files == 0x3fff);
  CHECK(rules(4).files == 0x7fff);
  CHECK(rules(3).tcp == 0);
  CHECK(rules(3).ports.empty());
  CHECK(rules(5).scopes == 0);
  CHECK(rules(6).flags == 0);
  for (const PathRule& rule : rules(1).paths) CHECK((rule.rights & ~std::uint64_t{0x1fff}) == 0);
  CHECK(make_landlock_plan(extra, kernel_of(3)).lacking[0].hint_text() ==
        "boot Linux 6.7 or newer, or set `level: prefer` to do without");
}

TEST_CASE("landlock: a kernel without it is one problem, with the remedy for its cause") {
  const auto lacking = [](int error) {
    const plan::LandlockPlan plan = make_landlock_plan(asking_for_all(), kernel_of(0, error));
    REQUIRE(plan.lacking.size() == 1);
    CHECK(plan.rules.files == 0);
    CHECK(plan.rules.tcp == 0);
    return std::string(plan.lacking[0].text()) + "; " + std::string(plan.lacking[0].hint_text());
  };
  const std::string without = ", or set `level: prefer` to do without";
  CHECK(lacking(EOPNOTSUPP) == kAt +
                                   "Landlock is switched off in this kernel; add landlock to lsm= "
                                   "on the kernel's command line" +
                                   without);
  CHECK(lacking(ENOSYS) == kAt +
                               "this kernel has no Landlock; boot a kernel with "
                               "CONFIG_SECURITY_LANDLOCK (5.13 or newer)" +
                               without);
  CHECK(lacking(EPERM) == kAt +
                              "Landlock may not be used here; in a container, let its seccomp "
                              "filter pass the calls landlock_*" +
                              without);
}

TEST_CASE("landlock: limits of TCP ports want a filter") {
  Extra extra = asking_for_all();
  extra.seccomp = SeccompProfile::kUnconfined;
  CHECK(texts(make_landlock_plan(extra, kernel_of(7)).lacking) ==
        Strings{kAt + "with another filter than jaula's own MPTCP and TCP Fast Open get around the "
                      "limits of TCP "
                      "ports"});
  extra.landlock->connect_tcp.reset();
  extra.landlock->bind_tcp.reset();
  CHECK(make_landlock_plan(extra, kernel_of(7)).lacking.empty());
}

namespace {

ServiceSpec service_with_landlock() {
  ServiceSpec service;
  service.rootfs = {"host", {}};
  service.command = {{"true"}, {}};
  service.landlock = {*asking_for_all().landlock, {"web.yaml", 4, 5, ""}};
  return service;
}

plan::Planned planned(const ServiceSpec& service, int abi, bool degrade = false) {
  const plan::Lowered lowered = plan::to_jail_config(service, "web", {});
  plan::HostFacts facts = kernel_of(abi, abi == 0 ? ENOSYS : 0);
  facts.capabilities = ~std::uint64_t{0};
  facts.cgroups.parent = "/sys/fs/cgroup/jaula";
  facts.cgroups.controllers = {"pids"};
  return make_plan(lowered.config, facts, {.degrade = degrade, .userland = {}});
}

}  // namespace

TEST_CASE("landlock: lacking is a problem, and a warning with prefer, require or --degrade warn") {
  ServiceSpec service = service_with_landlock();
  CHECK(planned(service, 7).problems.empty());
  CHECK(planned(service, 7).plan.degraded.empty());
  CHECK(texts(planned(service, 5).problems) == Strings{kScopes + "5"});
  CHECK(planned(service, 5).plan.degraded.empty());

  const auto warned = [](const plan::Planned& made) {
    CHECK(made.problems.empty());
    return made.plan.degraded;
  };
  CHECK(warned(planned(service, 5, true)) == Strings{kScopes + "5"});
  service.landlock_level = {LandlockLevel::kPrefer, {}};
  CHECK(warned(planned(service, 5)) == Strings{kScopes + "5"});
  CHECK(planned(service, 5).plan.landlock.files != 0);
  CHECK(warned(planned(service, 0)) == Strings{kAt + "this kernel has no Landlock"});

  service.landlock_level.reset();
  service.require = {{Layer::kCgroup, Layer::kSeccomp}, {}};
  CHECK(warned(planned(service, 5)) == Strings{kScopes + "5"});
  // The key's own word is the nearer one.
  service.landlock_level = {LandlockLevel::kRequire, {}};
  CHECK(texts(planned(service, 5).problems) == Strings{kScopes + "5"});
}

TEST_CASE("landlock: the filter of a jail with limits of TCP ports is stricter") {
  ServiceSpec service = service_with_landlock();
  const std::size_t limited = planned(service, 7).plan.seccomp.instructions.size();
  service.landlock->value.connect_tcp.reset();
  service.landlock->value.bind_tcp.reset();
  CHECK(planned(service, 7).plan.seccomp.instructions.size() < limited);
}

TEST_CASE("landlock: a plan prints a line for each rule, after the filter") {
  const plan::Lowered lowered = plan::to_jail_config(service_with_landlock(), "web", {});
  const std::string text = print(planned(service_with_landlock(), 7).plan, lowered.config, false);
  CHECK(text.find("\nlandlock exec /usr\nlandlock ro /etc\nlandlock rw /tmp\n"
                  "landlock connect_tcp none\nlandlock bind_tcp 80\nlandlock bind_tcp 8080\n"
                  "landlock scope signal\nlandlock scope abstract_unix_socket\n") !=
        std::string::npos);
  ServiceSpec without = service_with_landlock();
  without.landlock.reset();
  const plan::Lowered bare = plan::to_jail_config(without, "web", {});
  CHECK(print(planned(without, 7).plan, bare.config, false).find("landlock") == std::string::npos);
}

TEST_CASE("landlock: exec is under the same rules, but for what is gone") {
  const plan::Lowered lowered = plan::to_jail_config(service_with_landlock(), "web", {});
  plan::HostFacts facts = kernel_of(7);
  facts.capabilities = ~std::uint64_t{0};
  const plan::Planned made = make_exec_plan(lowered.config, facts, {.userland = {}});
  CHECK(made.problems.empty());
  CHECK(made.plan.landlock.skip_missing);
  CHECK_FALSE(planned(service_with_landlock(), 7).plan.landlock.skip_missing);
  CHECK(made.plan.landlock.files == 0xffff);
  CHECK(made.plan.landlock.paths.size() == 3);
}

}  // namespace jaula::test

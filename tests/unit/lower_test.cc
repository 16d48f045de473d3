// A service's spec to a jail's config: the defaults, and what each key changes of them.
#include "runtime/plan/lower.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "runtime/plan/profile.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using spec::JailConfig;

const std::string kDefaults =
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID";

std::string variable(const JailConfig& config, const std::string& name) {
  std::string values;
  for (const std::string& entry : config.process.env)
    if (entry.starts_with(name + "=")) values += "[" + entry.substr(name.size() + 1) + "]";
  return values;
}

std::string destinations(const JailConfig& config) {
  std::vector<std::string> words;
  for (const auto& mount : config.mounts) words.push_back(mount.destination);
  return joined(words);
}

// "mount pid=jail:db …"
std::string namespaces(const JailConfig& config) {
  std::vector<std::string> words;
  for (const spec::NamespaceConfig& entry : config.namespaces)
    words.push_back(entry.type + (entry.path ? "=" + *entry.path : ""));
  return joined(words);
}

std::string limit(const std::optional<spec::Limit>& limit) {
  return limit ? std::to_string(limit->value) : "none";
}

}  // namespace

TEST_CASE("lower: a service with nothing but a root and a command is closed by default") {
  const Services services;
  const JailConfig config = services.config();
  CHECK_EQ(config.name, "web-1");
  CHECK_EQ(config.hostname, "web-1");
  CHECK_EQ(joined(config.process.args), "httpd -f");
  CHECK_EQ(config.process.cwd, "/");
  CHECK_EQ(config.process.user.uid, 0);
  CHECK_EQ(config.process.user.additional_gids, std::vector<std::uint32_t>{0});
  CHECK_EQ(config.process.user.umask, 0022);
  CHECK(config.process.no_new_privileges);
  CHECK_FALSE(config.process.terminal);
  CHECK_EQ(namespaces(config), "mount pid ipc uts cgroup network user");
  CHECK(config.extra.seccomp == spec::SeccompProfile::kDefault);
  CHECK(config.extra.userns == spec::UserNamespace::Mode::kAuto);
  CHECK(config.extra.network == spec::NamespaceMode::kPrivate);
  CHECK(config.extra.root_kind == spec::RootKind::kHost);
  CHECK_EQ(config.root_path, "/");
  CHECK(config.extra.ephemeral);
  CHECK(config.extra.init);
  CHECK_FALSE(config.root_readonly);
  CHECK_EQ(config.extra.stop_signal, 15);
  CHECK_EQ(config.extra.stop_grace_period.count(), 10'000);
  CHECK_FALSE(config.extra.time_limit);
  CHECK_EQ(config.extra.require.size(), 4);
  CHECK_EQ(limit(config.resources.pids), "2048");
  CHECK_EQ(config.resources.pids->origin, "");
  CHECK_EQ(limit(config.resources.memory), "none");
  CHECK_EQ(limit(config.resources.cpu_quota), "none");
  REQUIRE_EQ(config.process.rlimits.size(), 1);
  CHECK_EQ(config.process.rlimits[0].type, "RLIMIT_CORE");
  CHECK_EQ(config.process.rlimits[0].hard, 0);
  CHECK_EQ(config.masked_paths.size(), std::size(plan::kMaskedPaths));
  CHECK_EQ(config.readonly_paths.size(), std::size(plan::kReadOnlyPaths));
  CHECK_EQ(config.mounts.size(), 0);
  CHECK_EQ(config.sysctl.size(), 0);
}

TEST_CASE("lower: capabilities are the profile's, less what is dropped, with what is added") {
  struct Row {
    std::string keys, held;
  };
  const Row rows[] = {
      {"", kDefaults},
      {"cap_drop: [ALL]", ""},
      {"cap_drop: [CHOWN, KILL]", "CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_SETGID CAP_SETUID"},
      {"cap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE]", "CAP_NET_BIND_SERVICE"},
      {"cap_add: [KILL]\ncap_drop: [ALL]", "CAP_KILL"},  // whatever the order of the keys
      {"cap_add: [SYS_TIME]\ncap_drop: [SYS_TIME]", kDefaults + " CAP_SYS_TIME"},
      {"user: web", ""},
      {"user: web\ncap_add: [KILL, CHOWN]", "CAP_CHOWN CAP_KILL"},
      {"user: web\ncap_drop: [ALL]", ""},
      {"security_opt: [seccomp=strict]", ""},
  };
  const Services services;
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    const spec::CapabilitySets sets = services.config(row.keys).process.capabilities;
    for (const auto* set : {&sets.bounding, &sets.permitted, &sets.effective})
      CHECK_EQ(joined(*set), row.held);
    // Without uid 0 an execve keeps only what is ambient.
    const std::string ambient = row.keys.starts_with("user") ? row.held : "";
    CHECK_EQ(joined(sets.ambient), ambient);
    CHECK_EQ(joined(sets.inheritable), ambient);
  }
}

TEST_CASE("lower: ALL adds every capability there is, and none beyond") {
  const Services services;
  const auto all = services.config("cap_add: [ALL]").process.capabilities.bounding;
  CHECK_EQ(all.size(), 41);
  CHECK_EQ(all.front(), "CAP_CHOWN");
  CHECK_EQ(all.back(), "CAP_CHECKPOINT_RESTORE");
  CHECK_EQ(services.config("user: web\ncap_add: [ALL]").process.capabilities.ambient, all);
}

TEST_CASE("lower: the strict profile gives no capability and fewer processes, unless asked for") {
  const Services services;
  const JailConfig strict = services.config("seccomp: strict");
  CHECK(strict.extra.seccomp == spec::SeccompProfile::kStrict);
  CHECK_EQ(joined(strict.process.capabilities.bounding), "");
  CHECK_EQ(limit(strict.resources.pids), "256");
  const JailConfig asked = services.config("seccomp: strict\ncap_add: [KILL]\npids_limit: 9");
  CHECK_EQ(joined(asked.process.capabilities.bounding), "CAP_KILL");
  CHECK_EQ(limit(asked.resources.pids), "9");
}

TEST_CASE("lower: another user for exec gets nothing that the jail's own does not have") {
  const Services services;
  const spec::User web{.uid = 33, .gid = 34, .additional_gids = {34}};
  JailConfig config = services.config();
  plan::set_user(config, web, kAccounts);
  CHECK_EQ(config.process.user.uid, 33);
  CHECK_EQ(joined(config.process.capabilities.bounding), "");
  CHECK_EQ(variable(config, "HOME"), "[/var/www]");
  // From a user with a capability to root, who has it, but not as ambient.
  config = services.config("user: web\ncap_add: [KILL]");
  plan::set_user(config, spec::User{.additional_gids = {0}}, kAccounts);
  CHECK_EQ(joined(config.process.capabilities.bounding), "CAP_KILL");
  CHECK_EQ(joined(config.process.capabilities.ambient), "");
  CHECK_EQ(joined(config.process.capabilities.inheritable), "");
  CHECK_EQ(variable(config, "HOME"), "[/root]");
  // Root stays root, with what it has; an id without an account lives in "/".
  config = services.config();
  plan::set_user(config, spec::User{.additional_gids = {0}}, kAccounts);
  CHECK_EQ(joined(config.process.capabilities.effective), kDefaults);
  plan::set_user(config, spec::User{.uid = 1234, .additional_gids = {0}}, kAccounts);
  CHECK_EQ(variable(config, "HOME"), "[/]");
}

TEST_CASE("lower: groups that the spec adds are of every user, behind his own") {
  const Services services;
  JailConfig config = services.config("group_add: [\"7\", \"0\", \"7\"]");
  CHECK_EQ(config.process.user.additional_gids, std::vector<std::uint32_t>{0, 7});
  plan::set_user(config, {.uid = 33, .gid = 34, .additional_gids = {34, 50}}, kAccounts);
  CHECK_EQ(config.process.user.additional_gids, std::vector<std::uint32_t>{34, 50, 7, 0});
}

TEST_CASE("lower: the spec's environment comes over the defaults, each name once") {
  const Services services;
  JailConfig config = services.config("hostname: front\nuser: web");
  CHECK_EQ(variable(config, "PATH"), "[" + std::string(plan::kPath) + "]");
  CHECK_EQ(variable(config, "HOSTNAME"), "[front]");
  CHECK_EQ(variable(config, "HOME"), "[/var/www]");
  config = services.config(
      "environment: [PATH=/mine, HOME=/there, HOSTNAME=other, A=1, A=2, EMPTY=, PATHS=x]");
  CHECK_EQ(variable(config, "PATH"), "[/mine]");
  CHECK_EQ(variable(config, "HOME"), "[/there]");
  CHECK_EQ(variable(config, "HOSTNAME"), "[other]");
  CHECK_EQ(variable(config, "A"), "[2]");
  CHECK_EQ(variable(config, "EMPTY"), "[]");
  CHECK_EQ(variable(config, "PATHS"), "[x]");
  CHECK_EQ(config.process.env.size(), 6);
  put_file(services.scratch() / "file.env", "A=file\nB=file\n");
  config = services.config("env_file: file.env\nenvironment: [A=key]");
  CHECK_EQ(variable(config, "A") + variable(config, "B"), "[key][file]");
}

TEST_CASE("lower: a mount inside another comes after it, and equals keep the order of the spec") {
  const Services services;
  std::filesystem::create_directory(services.scratch() / "d");
  const JailConfig config =
      services.config("volumes: [\"./d:/a/b/c\", \"./d:/a\", \"./d:/z\"]\ntmpfs: [/a/b, /y]");
  CHECK_EQ(destinations(config), "/y /a /z /a/b /a/b/c");
}

TEST_CASE("lower: volumes and tmpfs get no set-user-ID, no devices, and what their words say") {
  const Services services;
  std::filesystem::create_directory(services.scratch() / "d");
  const JailConfig config = services.config(
      "volumes:\n  - ./d:/w\n  - ./d:/r:ro\n"
      "  - {type: bind, source: ./new, target: /n, bind: {create_host_path: true}}\n"
      "tmpfs: [\"/t:size=1m,mode=0700\", /u]");
  REQUIRE_EQ(config.mounts.size(), 5);
  const auto options = [&](const std::string& destination) {
    for (const auto& mount : config.mounts)
      if (mount.destination == destination) return joined(mount.options);
    return std::string("no such mount");
  };
  CHECK_EQ(options("/w"), "rbind nosuid nodev rw");
  CHECK_EQ(options("/r"), "rbind nosuid nodev ro");
  CHECK_EQ(options("/n"), "rbind nosuid nodev rw x-create");
  CHECK_EQ(options("/t"), "nosuid nodev noexec mode=0700 size=1048576");
  CHECK_EQ(options("/u"), "nosuid nodev noexec mode=1777");
  CHECK_EQ(services.without_directory(config.mounts[2].origin),
           "web.yaml:6:9: services.web.volumes[0]");
}

TEST_CASE("lower: limits carry their line, and a limit of minus one is none") {
  const Services services;
  const JailConfig config = services.config(
      "mem_limit: 64m\ncpus: 1.5\ncpu_shares: 512\npids_limit: -1\n"
      "ulimits:\n  core: 5\n  nofile: {soft: 10, hard: 20}");
  CHECK_EQ(limit(config.resources.memory), "67108864");
  CHECK_EQ(services.without_directory(config.resources.memory->origin),
           "web.yaml:5:16: services.web.mem_limit");
  CHECK_EQ(limit(config.resources.cpu_quota), "150000");
  CHECK_EQ(limit(config.resources.cpu_shares), "512");
  CHECK_EQ(limit(config.resources.pids), "none");
  std::string limits;
  for (const auto& rlimit : config.process.rlimits)
    limits +=
        rlimit.type + " " + std::to_string(rlimit.soft) + " " + std::to_string(rlimit.hard) + "\n";
  CHECK_EQ(limits, "RLIMIT_CORE 5 5\nRLIMIT_NOFILE 10 20\n");
}

TEST_CASE("lower: namespaces are left out where the spec says that the host's are used") {
  const Services services;
  struct Row {
    std::string keys, namespaces;
  };
  const Row rows[] = {
      {"network_mode: host", "mount pid ipc uts cgroup user"},
      {"network_mode: none", "mount pid ipc uts cgroup network user"},
      {"userns_mode: host", "mount pid ipc uts cgroup network"},
      {"pid: host", "mount ipc uts cgroup network user"},
      {"ipc: host", "mount pid uts cgroup network user"},
      {"ipc: none", "mount pid ipc uts cgroup network user"},
      {"uts: host", "mount pid ipc cgroup network user"},
      {"cgroup: host", "mount pid ipc uts network user"},
      {"namespaces: {pid: host, net: host, ipc: shareable}", "mount ipc uts cgroup user"},
      {"network_mode: jail:db", "mount pid ipc uts cgroup network=jail:db user"},
      {"network_mode: service:db", "mount pid ipc uts cgroup network=jail:db user"},
      {"pid: container:db", "mount pid=jail:db ipc uts cgroup network user"},
      {"namespaces: {net: \"ns:/run/netns/blue\"}",
       "mount pid ipc uts cgroup network=/run/netns/blue user"},
      {"namespaces: {time: {boottime: 1h}}", "mount pid ipc uts cgroup network user time"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    CHECK_EQ(namespaces(services.config(row.keys)), row.namespaces);
  }
}

TEST_CASE("lower: nesting opens the calls of a start and nothing else of what default refuses") {
  const Services services;
  const JailConfig config = services.config("nesting: 1");
  CHECK_EQ(config.extra.nesting, 1);
  REQUIRE(config.seccomp);
  std::set<std::string> opened;
  for (const spec::SeccompRule& rule : config.seccomp->syscalls)
    if (rule.action == spec::SeccompAction::kAllow && rule.args.empty())
      opened.insert(rule.names.begin(), rule.names.end());
  for (const char* name : {"clone", "clone3", "mount", "unshare", "setns", "pivot_root"})
    CHECK(opened.contains(name));
  for (const char* name : {"bpf", "ptrace", "keyctl", "io_uring_setup", "perf_event_open", "chroot",
                           "userfaultfd", "init_module"})
    CHECK_FALSE(opened.contains(name));
  CHECK_FALSE(services.config().seccomp);
  const auto problems = [&](const std::string& keys) {
    return services.problems(services.lower("rootfs: host\nnesting: 1\n" + keys).problems);
  };
  CHECK_EQ(
      problems("userns_mode: host"),
      "web.yaml:5:14: services.web.nesting: `nesting` needs a user namespace: without one root "
      "inside is root\n");
  CHECK_EQ(
      problems("pid: host"),
      "web.yaml:5:14: services.web.nesting: `nesting` needs a pid namespace of the jail's own, "
      "for the /proc of those inside\n");
  CHECK_EQ(problems("seccomp: strict"),
           "web.yaml:5:14: services.web.nesting: `nesting` needs calls that `seccomp: strict` "
           "refuses\n");
}

TEST_CASE("lower: a clock's offset is whole seconds and nanoseconds from zero on") {
  const Services services;
  const JailConfig config =
      services.config("namespaces: {time: {boottime: 1h, monotonic: -1500ms}}");
  CHECK_EQ(config.boottime_offset->secs, 3600);
  CHECK_EQ(config.boottime_offset->nanosecs, 0);
  CHECK_EQ(config.monotonic_offset->secs, -2);
  CHECK_EQ(config.monotonic_offset->nanosecs, 500'000'000);
}

TEST_CASE("lower: what another key gives to the host is no setting of the jail's") {
  const Services services;
  const auto problems = [&](const std::string& keys) {
    return services.problems(services.lower("rootfs: host\n" + keys).problems);
  };
  CHECK_EQ(problems("uts: host\nhostname: cage"),
           "web.yaml:6:15: services.web.hostname: the host name is not the jail's own, by `uts` at "
           "web.yaml:5:10: services.web.uts\n");
  CHECK_EQ(problems("ipc: none\nshm_size: 1m"),
           "web.yaml:6:15: services.web.shm_size: the jail has no /dev/shm of its own, by `ipc` at "
           "web.yaml:5:10: services.web.ipc\n");
  CHECK_EQ(problems("ipc: host\nsysctls: {kernel.shmmax: 9}"),
           "web.yaml:6:30: services.web.sysctls.kernel.shmmax: sysctl kernel.shmmax belongs to the "
           "machine, not to the jail\n");
  CHECK_EQ(problems("network_mode: jail:db\nsysctls: {net.core.a: 9}"),
           "web.yaml:6:27: services.web.sysctls.net.core.a: sysctl net.core.a belongs to the "
           "namespace that is joined, not to the jail\n");
}

TEST_CASE("lower: only sysctls of the jail's own namespaces are taken") {
  const Services services;
  const JailConfig config =
      services.config("sysctls: [net.ipv4.ip_forward=1, fs.mqueue.msg_max=5, kernel.shmmax=9]");
  CHECK_EQ(config.sysctl.size(), 3);
  const std::string keys = "rootfs: host\nsysctls:\n  kernel.core_pattern: x\n  net.core.a: 1\n";
  const std::string core =
      "web.yaml:6:28: services.web.sysctls.kernel.core_pattern: sysctl kernel.core_pattern belongs "
      "to the machine, not to the jail\n";
  CHECK_EQ(services.problems(services.lower(keys).problems), core);
  const auto host = services.lower(keys + "network_mode: host").problems;
  CHECK_EQ(services.problems(host),
           core +
               "web.yaml:7:19: services.web.sysctls.net.core.a: sysctl net.core.a belongs to the "
               "machine, not to the jail\n");
  CHECK_EQ(host[1].hint_text(), "it is the jail's own with `network_mode: private`");
}

TEST_CASE("lower: the spec's masks come after the profile's, less what it takes off") {
  const Services services;
  const std::string usual = joined(services.config().masked_paths);
  const JailConfig config = services.config(
      "mask: [/data, /proc/kcore, /data]\nreadonly_paths: [/srv]\n"
      "security_opt: ['unmask=/proc/keys:/proc/irq']");
  CHECK_EQ(config.masked_paths.back(), "/data");
  CHECK_EQ(joined(config.masked_paths) + " /proc/keys",
           usual.substr(0, usual.find(" /proc/keys")) +
               usual.substr(usual.find(" /proc/keys") + 11) + " /data /proc/keys");
  CHECK_EQ(joined(config.readonly_paths), "/proc/bus /proc/fs /proc/sys /proc/sysrq-trigger /srv");
  CHECK_EQ(config.extra.mask_origins.size(), 2);

  const JailConfig bare = services.config("security_opt: [unmask=all]\nmask: [/proc/keys]");
  CHECK_EQ(joined(bare.masked_paths), "/proc/keys");
  CHECK_EQ(joined(bare.readonly_paths), "");
  CHECK_EQ(
      services.problems(
          services.lower("rootfs: host\nsecurity_opt: ['unmask=/proc/none']").problems),
      "web.yaml:5:20: services.web.security_opt[0]: /proc/none is neither masked nor read-only "
      "by default\n");
}

TEST_CASE("lower: everything that is missing or wrong is told at once, each with its line") {
  const Services services;
  CHECK_EQ(
      services.problems(services.lower("rootfs: host\nuser: nobody\nephemeral: false").problems),
      "web.yaml:6:16: services.web.ephemeral: `rootfs: host` keeps nothing: `ephemeral: false` "
      "cannot be\n"
      "web.yaml:5:11: services.web.user: there is no user nobody in the /etc/passwd of the "
      "root\n");
  spec::ServiceSpec bare;
  bare.origin = {.file = "web.yaml", .line = 2, .column = 3, .path = "services.web"};
  CHECK_EQ(services.problems(plan::to_jail_config(bare, "web", {}).problems),
           "web.yaml:2:3: services.web: there is no root file system\n"
           "web.yaml:2:3: services.web: there is no command to run\n");
}

}  // namespace jaula::test

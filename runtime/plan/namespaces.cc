#include "runtime/plan/namespaces.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "runtime/base/mutant.h"

namespace jaula::plan {
namespace {

using spec::JailConfig;
using spec::NamespaceMode;
using spec::ServiceSpec;
using ChoiceKey = spec::Key<spec::NamespaceChoice>;

NamespaceMode mode_of(const ChoiceKey& key) {
  return key ? key->value.mode : NamespaceMode::kPrivate;
}

// "ns:" is said away: an OCI path is one of the host.
std::string path_of(const std::string& target) {
  return target.starts_with("ns:") ? target.substr(3) : target;
}

void add(JailConfig& config, std::string type, const ChoiceKey& key) {
  const NamespaceMode mode = mode_of(key);
  if (mode == NamespaceMode::kHost) return;
  spec::NamespaceConfig added{.type = std::move(type), .path = {}, .origin = {}};
  if (mode == NamespaceMode::kJoin) {
    added.path = path_of(key->value.target);
    added.origin = key->origin.text();
  }
  config.namespaces.push_back(std::move(added));
}

void lower_time(const ServiceSpec& service, JailConfig& config) {
  if (!service.time) return;
  const spec::TimeChoice& time = service.time->value;
  spec::NamespaceConfig added{.type = "time", .path = {}, .origin = service.time->origin.text()};
  if (!time.target.empty()) {
    added.path = path_of(time.target);
  } else {
    const auto offset = [](std::chrono::milliseconds by) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(by);
      const std::chrono::nanoseconds rest = by - seconds;
      return spec::TimeOffset{.secs = seconds.count(),
                              .nanosecs = static_cast<std::uint32_t>(rest.count())};
    };
    config.boottime_offset = offset(time.boottime);
    config.monotonic_offset = offset(time.monotonic);
  }
  config.namespaces.push_back(std::move(added));
}

void lower_userns(const ServiceSpec& service, JailConfig& config) {
  const spec::UserNamespace userns =
      service.userns_mode ? service.userns_mode->value : spec::UserNamespace{};
  config.extra.userns = userns.mode;
  config.extra.userns_origin =
      service.userns_mode ? service.userns_mode->origin.text() : service.origin.text();
  if (userns.mode != spec::UserNamespace::Mode::kHost)
    config.namespaces.push_back({.type = "user", .path = {}, .origin = {}});
  const auto copy = [](const auto& from, auto& to) {
    for (const spec::IdMapEntry& entry : from)
      to.push_back({entry.inside, entry.outside, entry.count});
  };
  copy(userns.uid_map, config.uid_mappings);
  copy(userns.gid_map, config.gid_mappings);
}

// A key that says something about what another key gives away.
void check_contradictions(const ServiceSpec& service, std::vector<Error>& problems) {
  const NamespaceMode uts = mode_of(service.uts);
  if (service.hostname && (uts == NamespaceMode::kHost || uts == NamespaceMode::kJoin))
    problems.push_back(Error(0, service.hostname->origin.text(),
                             ": the host name is not the jail's own, by `uts` at ",
                             service.uts->origin.text())
                           .hint("leave one of them out"));
  const NamespaceMode ipc = mode_of(service.ipc);
  if (service.shm_size && (ipc == NamespaceMode::kHost || ipc == NamespaceMode::kNone))
    problems.push_back(Error(0, service.shm_size->origin.text(),
                             ": the jail has no /dev/shm of its own, by `ipc`"
                             " at ",
                             service.ipc->origin.text())
                           .hint("leave one of them out"));
}

// The type of the namespace that holds a sysctl; empty: the machine's.
std::string_view namespace_of_sysctl(std::string_view name) {
  if (name.starts_with("net.")) return "network";
  if (name.starts_with("fs.mqueue.")) return "ipc";
  constexpr std::string_view kIpc[] = {"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                       "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                       "kernel.shmmni", "kernel.shm_rmid_forced"};
  return std::find(std::begin(kIpc), std::end(kIpc), name) != std::end(kIpc) ? "ipc" : "";
}

const spec::NamespaceConfig* find(const JailConfig& config, std::string_view type) {
  const auto found = std::find_if(config.namespaces.begin(), config.namespaces.end(),
                                  [&](const auto& entry) { return entry.type == type; });
  return found == config.namespaces.end() ? nullptr : &*found;
}

std::string offsets_of(const JailConfig& config) {
  std::string text;
  const auto add = [&](const char* clock, const std::optional<spec::TimeOffset>& offset) {
    if (offset)
      text.append(clock)
          .append(" ")
          .append(std::to_string(offset->secs))
          .append(" ")
          .append(std::to_string(offset->nanosecs) + "\n");
  };
  add("monotonic", config.monotonic_offset);
  add("boottime", config.boottime_offset);
  return text;
}

}  // namespace

std::string hostname_of(const ServiceSpec& service, const std::string& name) {
  if (service.hostname) return service.hostname->value;
  const NamespaceMode uts = mode_of(service.uts);
  if (uts == NamespaceMode::kJoin) return {};
  utsname host{};
  if (uts == NamespaceMode::kHost && ::uname(&host) == 0) return host.nodename;
  return name;
}

void lower_namespaces(const ServiceSpec& service, JailConfig& config,
                      std::vector<Error>& problems) {
  config.namespaces = {{.type = "mount", .path = {}, .origin = {}}};
  add(config, "pid", service.pid);
  add(config, "ipc", service.ipc);
  add(config, "uts", service.uts);
  add(config, "cgroup", service.cgroup);
  add(config, "network", service.network_mode);
  config.extra.network = mode_of(service.network_mode);
  config.extra.ipc = mode_of(service.ipc);
  if (service.pid) config.extra.pid_origin = service.pid->origin.text();
  lower_userns(service, config);
  lower_time(service, config);
  check_contradictions(service, problems);
}

void lower_sysctls(const ServiceSpec& service, JailConfig& config, std::vector<Error>& problems) {
  for (const auto& sysctl : service.sysctls) {
    const std::string_view type = namespace_of_sysctl(sysctl.value.first);
    if ((!type.empty() && has_own_namespace(config, type)) || mutant("sysctls of the jail")) {
      config.sysctl.push_back(sysctl.value);
      config.extra.sysctl_origins[sysctl.value.first] = sysctl.origin.text();
      continue;
    }
    const bool joined = !type.empty() && joins_namespace(config, type);
    Error problem(0, sysctl.origin.text(), ": sysctl ", sysctl.value.first, " belongs to the ",
                  joined ? "namespace that is joined" : "machine", ", not to the jail");
    problems.push_back(
        type == "network" ? problem.hint("it is the jail's own with `network_mode: private`")
        : type == "ipc"
            ? problem.hint("it is the jail's own with `ipc: private`")
            : problem.hint("those of the jail are net.*, fs.mqueue.*, kernel.{msg,shm,sem}*"));
  }
}

bool has_own_namespace(const JailConfig& config, std::string_view type) {
  const spec::NamespaceConfig* found = find(config, type);
  return found != nullptr && !found->path;
}

bool joins_namespace(const JailConfig& config, std::string_view type) {
  const spec::NamespaceConfig* found = find(config, type);
  return found != nullptr && found->path.has_value();
}

std::uint64_t namespace_flag(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kFlags = {
      {{"user", CLONE_NEWUSER},
       {"pid", CLONE_NEWPID},
       {"mount", CLONE_NEWNS},
       {"network", CLONE_NEWNET},
       {"ipc", CLONE_NEWIPC},
       {"uts", CLONE_NEWUTS},
       {"cgroup", CLONE_NEWCGROUP},
       {"time", CLONE_NEWTIME}}};
  const auto* found = std::find_if(kFlags.begin(), kFlags.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  return found == kFlags.end() ? 0 : found->second;
}

NamespacePlan make_namespace_plan(const JailConfig& config) {
  NamespacePlan plan;
  for (const spec::NamespaceConfig& entry : config.namespaces)
    (entry.path ? plan.joined : plan.made) |= namespace_flag(entry.type);
  plan.cgroup = (plan.made & CLONE_NEWCGROUP) != 0;
  plan.time.own = (plan.made & CLONE_NEWTIME) != 0;
  plan.made &= ~std::uint64_t{CLONE_NEWCGROUP | CLONE_NEWTIME};
  if (plan.time.own) plan.time.offsets = offsets_of(config);
  return plan;
}

std::vector<Error> check_namespaces(const JailConfig& config, const HostFacts& facts,
                                    bool in_cgroup) {
  std::vector<Error> problems;
  // PID 1 takes what is left with it. Elsewhere only a cgroup knows what that is.
  if (!in_cgroup && !has_own_namespace(config, "pid"))
    problems.push_back(Error(0, config.extra.pid_origin,
                             ": without a pid namespace of its own a jail needs a cgroup, or what "
                             "it leaves behind could not be ended; ",
                             facts.cgroups.problem)
                           .hint(facts.cgroups.remedy));
  // The kernel wants CAP_SYS_ADMIN where the joiner comes from, too. setns(2)
  if (!facts.has(CAP_SYS_ADMIN) || !facts.initial_user_namespace)
    for (const spec::NamespaceConfig& entry : config.namespaces)
      if (entry.path)
        problems.push_back(
            Error(EPERM, entry.origin, ": join the ", entry.type, " namespace of ", *entry.path)
                .hint("only root of the machine can; as a user, run both services in one jail"));
  return problems;
}

}  // namespace jaula::plan

#include "runtime/plan/launch_plan.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "cgroups/limits.h"
#include "runtime/base/text.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/devices.h"
#include "runtime/plan/etc_files.h"
#include "runtime/plan/id_maps.h"
#include "runtime/plan/labels.h"
#include "runtime/plan/landlock.h"
#include "runtime/plan/mounts.h"
#include "runtime/plan/namespaces.h"
#include "runtime/plan/nesting.h"
#include "runtime/plan/seccomp.h"

namespace jaula::plan {
namespace {

using spec::JailConfig;
using spec::Layer;

// What make_plan works on: one function a part of the plan, all of them run, all problems kept.
struct Making {
  const JailConfig& config;
  const HostFacts& facts;
  const PlanOptions& options;
  Planned out;

  [[nodiscard]] bool required(Layer layer) const {
    const auto& require = config.extra.require;
    return !options.degrade && std::find(require.begin(), require.end(), layer) != require.end();
  }
  // A layer that cannot be given: an error, or where the spec does without it, a warning.
  void lacking(Layer layer, const Error& error) {
    if (required(layer)) {
      out.problems.push_back(error);
    } else {
      out.plan.degraded.emplace_back(error.text());
    }
  }
};

void make_namespaces(Making& making) {
  NamespacePlan made = make_namespace_plan(making.config);
  LaunchPlan& plan = making.out.plan;
  plan.namespaces = made.made;
  plan.joined = made.joined;
  plan.cgroup_namespace = made.cgroup;
  plan.time = std::move(made.time);
  const bool own_processes = (plan.namespaces & CLONE_NEWPID) != 0;
  const bool joins_processes = (plan.joined & CLONE_NEWPID) != 0;
  plan.place = own_processes     ? isolation::InitPlace::kFirst
               : joins_processes ? isolation::InitPlace::kAmongOthers
                                 : isolation::InitPlace::kHost;
  if ((plan.namespaces & CLONE_NEWUTS) != 0) plan.hostname.host = making.config.hostname;
  plan.loopback = (plan.namespaces & CLONE_NEWNET) != 0;
  if ((plan.namespaces & CLONE_NEWUSER) == 0 && !making.facts.has(CAP_SYS_ADMIN))
    making.out.problems.push_back(
        Error(EPERM, making.config.extra.userns_origin, ": `userns_mode: host` without root")
            .hint("leave it out, or start as root"));
}

void make_ids(Making& making, IdPlan& ids) {
  Result<IdPlan> made = make_id_plan(making.config, making.facts, making.options.id_base);
  if (!made) {
    making.out.problems.push_back(made.error());
    return;
  }
  ids = std::move(*made);
  LaunchPlan& plan = making.out.plan;
  plan.ids = ids.maps;
  plan.root_uid = ids.root_uid;
  plan.root_gid = ids.root_gid;
  if (!ids.degraded.empty()) plan.degraded.push_back(ids.degraded);
}

std::vector<isolation::MountOp> make_devices(Making& making) {
  LaunchPlan& plan = making.out.plan;
  DevicePlan made = make_device_plan(making.config, making.facts,
                                     (plan.namespaces & CLONE_NEWUSER) != 0, plan.in_cgroup);
  for (const Error& problem : made.problems) making.out.problems.push_back(problem);
  for (const Error& error : made.lacking) making.lacking(Layer::kCgroup, error);
  if (!made.rules.empty()) plan.device_program = compile_devices(made.rules);
  return std::move(made.binds);
}

void make_mounts(Making& making, const IdPlan& ids, std::vector<isolation::MountOp> devices) {
  const bool user_namespace = (making.out.plan.namespaces & CLONE_NEWUSER) != 0;
  const MountFacts facts{
      .idmapped = user_namespace && making.facts.privileged(),
      .user_namespace = user_namespace,
      .own_network = has_own_namespace(making.config, "network"),
      .joined_network = joins_namespace(making.config, "network"),
      .host_processes = making.out.plan.place == isolation::InitPlace::kHost,
      .cgroup = making.out.plan.in_cgroup && making.out.plan.cgroup_namespace,
      .host_cgroups = making.out.plan.cgroup_namespace ? std::string() : making.facts.cgroups.mount,
      .tty_group = ids.has_tty_group,
      .devices = std::move(devices)};
  making.out.plan.mounts = make_mount_plan(making.config, making.options.userland, facts);
  for (const Error& problem : check_idmaps(making.config, facts))
    making.out.problems.push_back(problem);
}

void make_sysctls(Making& making, const IdPlan& ids) {
  LaunchPlan& plan = making.out.plan;
  if (has_own_namespace(making.config, "network")) {
    // Low ports and ping without a capability: the whole network is the jail's.
    plan.sysctls.push_back({"net/ipv4/ip_unprivileged_port_start", "0", ""});
    const std::string first = std::to_string(ids.first_gid);
    const std::string last = std::to_string(ids.last_gid);
    plan.sysctls.push_back({"net/ipv4/ping_group_range", first + " " + last, ""});
  }
  for (isolation::Sysctl& sysctl : nesting_sysctls(making.config))
    plan.sysctls.push_back(std::move(sysctl));
  for (const auto& [name, value] : making.config.sysctl) {
    std::string path = name;
    std::replace(path.begin(), path.end(), '.', '/');
    const auto origin = making.config.extra.sysctl_origins.find(name);
    const bool known = origin != making.config.extra.sysctl_origins.end();
    plan.sysctls.push_back({path, value, known ? origin->second : name});
  }
}

void make_credentials(Making& making, const IdPlan& ids) {
  isolation::Credentials& credentials = making.out.plan.credentials;
  const spec::Process& process = making.config.process;
  credentials.uid = process.user.uid;
  credentials.gid = process.user.gid;
  credentials.groups.assign(process.user.additional_gids.begin(),
                            process.user.additional_gids.end());
  credentials.set_groups = !ids.maps.deny_setgroups;
  credentials.groups_origin = making.config.extra.groups_origin;
  if (!credentials.set_groups && !credentials.groups_origin.empty())
    making.out.problems.push_back(
        Error(0, credentials.groups_origin, ": no group can be added: one id alone is mapped")
            .hint("give this user a range in /etc/subuid and /etc/subgid"));
  credentials.umask = process.user.umask;
  credentials.bounding = capability_mask(process.capabilities.bounding);
  credentials.permitted = capability_mask(process.capabilities.permitted);
  credentials.ambient = capability_mask(process.capabilities.ambient);
  credentials.no_new_privs = process.no_new_privileges;
  // Of the machine's own capabilities a jail is given none that jaula itself has not.
  if (!making.config.extra.privileged || (making.out.plan.namespaces & CLONE_NEWUSER) != 0) return;
  for (std::uint64_t* set : {&credentials.bounding, &credentials.permitted, &credentials.ambient})
    *set &= making.facts.capabilities;
}

unsigned filter_flags(const JailConfig& config) {
  const isolation::SeccompFilter standard;
  if (!config.seccomp || !config.seccomp->flags) return standard.flags;
  unsigned flags = 0;
  for (const spec::SeccompFlag flag : *config.seccomp->flags)
    flags |=
        flag == spec::SeccompFlag::kLog ? SECCOMP_FILTER_FLAG_LOG : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  return flags;
}

// Our own profiles let through what a start and PID 1 need. One that the spec brings need not: it
// waits for the payload's execve, and PID 1 has `default`. Without no_new_privs that is too late:
// the kernel wants CAP_SYS_ADMIN for a filter then, which is given up before.
void make_filter(Making& making) {
  LaunchPlan& plan = making.out.plan;
  isolation::SeccompFilter filter{
      .instructions =
          compile_seccomp(making.config, plan.credentials.bounding, plan.landlock.tcp != 0),
      .flags = filter_flags(making.config)};
  if (filter.instructions.size() > BPF_MAXINSNS)
    making.out.problems.push_back(
        Error(0, "the system call filter has ", filter.instructions.size(), " instructions")
            .hint("the kernel takes ", BPF_MAXINSNS));
  const bool own = making.config.seccomp.has_value();
  // What comes after a filter of the spec's is not sure to get through it to the parent.
  const bool told =
      !own || (plan.credentials.no_new_privs && lets_hand_over(*making.config.seccomp));
  if (told) filter.reporting = report_denials(filter.instructions);
  if (!own || !plan.credentials.no_new_privs) {
    plan.seccomp = std::move(filter);
    return;
  }
  plan.payload.filter = std::move(filter);
  plan.init_seccomp.instructions = compile_seccomp(spec::SeccompProfile::kDefault, 0);
}

// Where no pids controller is to be had, the default bound is kept per user by the process limit
// that user namespaces count of their own (5.14); a limit that the spec asks for is not replaced.
bool bounds_processes_by_rlimit(const Making& making) {
  const auto& pids = making.config.resources.pids;
  const bool enforced = making.out.plan.in_cgroup && making.facts.cgroups.has("pids");
  const auto& rlimits = making.config.process.rlimits;
  const bool chosen = std::any_of(rlimits.begin(), rlimits.end(),
                                  [](const auto& limit) { return limit.type == "RLIMIT_NPROC"; });
  return pids && pids->origin.empty() && !enforced && !chosen;
}

void make_rlimits(Making& making) {
  constexpr std::array<std::pair<std::string_view, int>, 16> kNames = {
      {{"RLIMIT_AS", RLIMIT_AS},
       {"RLIMIT_CORE", RLIMIT_CORE},
       {"RLIMIT_CPU", RLIMIT_CPU},
       {"RLIMIT_DATA", RLIMIT_DATA},
       {"RLIMIT_FSIZE", RLIMIT_FSIZE},
       {"RLIMIT_LOCKS", RLIMIT_LOCKS},
       {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
       {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
       {"RLIMIT_NICE", RLIMIT_NICE},
       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
       {"RLIMIT_NPROC", RLIMIT_NPROC},
       {"RLIMIT_RSS", RLIMIT_RSS},
       {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
       {"RLIMIT_RTTIME", RLIMIT_RTTIME},
       {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
       {"RLIMIT_STACK", RLIMIT_STACK}}};
  for (const spec::RlimitConfig& limit : making.config.process.rlimits) {
    const auto found = std::find_if(kNames.begin(), kNames.end(),
                                    [&](const auto& entry) { return entry.first == limit.type; });
    if (found == kNames.end()) {
      making.out.problems.push_back(Error(0, limit.origin, ": unknown limit ", limit.type));
      continue;
    }
    making.out.plan.rlimits.push_back({found->second, limit.soft, limit.hard});
    making.out.plan.rlimit_origins.push_back(limit.origin);
  }
  if (const auto score = making.config.process.oom_score_adj)
    making.out.plan.oom_score = {std::to_string(*score), making.config.extra.oom_score_origin};
  if (!bounds_processes_by_rlimit(making)) return;
  const std::uint64_t count =
      std::min(making.config.resources.pids->value, making.facts.max_processes);
  making.out.plan.rlimits.push_back({RLIMIT_NPROC, count, count});
  making.out.plan.rlimit_origins.emplace_back();
}

struct PlannedLimit {
  const char* controller;
  const spec::Limit& limit;
  std::vector<cgroups::Write> writes;
};

std::vector<PlannedLimit> limits_of(const spec::Resources& resources) {
  std::vector<PlannedLimit> limits;
  if (const auto& memory = resources.memory)
    limits.push_back({"memory", *memory, cgroups::limit_memory(memory->value, memory->origin)});
  if (const auto& quota = resources.cpu_quota)
    limits.push_back(
        {"cpu", *quota, {cgroups::limit_cpu(quota->value, resources.cpu_period, quota->origin)}});
  if (const auto& shares = resources.cpu_shares)
    limits.push_back({"cpu", *shares, {cgroups::weigh_cpu(shares->value, shares->origin)}});
  if (const auto& pids = resources.pids)
    limits.push_back({"pids", *pids, {cgroups::limit_pids(pids->value, pids->origin)}});
  return limits;
}

void make_cgroup(Making& making) {
  LaunchPlan& plan = making.out.plan;
  const cgroups::Hierarchy& host = making.facts.cgroups;
  plan.in_cgroup = !host.parent.empty();
  if (!plan.in_cgroup)
    making.lacking(
        Layer::kCgroup,
        Error(0, "no cgroup can be made for the jail: ", host.problem).hint(host.remedy));
  for (PlannedLimit& planned : limits_of(making.config.resources)) {
    if (plan.in_cgroup && host.has(planned.controller)) {
      std::move(planned.writes.begin(), planned.writes.end(),
                std::back_inserter(plan.cgroup_writes));
      continue;
    }
    if (planned.limit.origin.empty()) {
      plan.degraded.push_back("pids: the default limit of " + std::to_string(planned.limit.value) +
                              (bounds_processes_by_rlimit(making)
                                   ? " holds for each user of the jail, not for all together"
                                   : " gives way to `ulimits: nproc`") +
                              ": no pids controller");
      continue;
    }
    Error error(0, planned.limit.origin, ": cannot be enforced: no ", planned.controller,
                " controller; ", host.problem);
    making.lacking(Layer::kCgroup, error.hint(host.remedy));
  }
}

void make_landlock(Making& making) {
  if (!making.config.extra.landlock) return;
  LandlockPlan made = make_landlock_plan(making.config.extra, making.facts);
  making.out.plan.landlock = std::move(made.rules);
  for (const Error& error : made.lacking) making.lacking(Layer::kLandlock, error);
  if (making.out.plan.landlock.files != 0)
    making.out.plan.payload.forbidden_hint =
        "with `landlock` it is executed from the paths of its `exec` alone, and so are its loader "
        "and its interpreter";
}

// How the payload runs, of a jail and of exec alike.
void make_execution(Making& making) {
  LaunchPlan& plan = making.out.plan;
  LabelPlan made = make_label_plan(making.config, making.facts);
  plan.labels = std::move(made.labels);
  for (const Error& problem : made.problems) making.out.problems.push_back(problem);
  if (const auto& personality = making.config.personality)
    plan.personality.domain = *personality == spec::Personality::kLinux32 ? PER_LINUX32 : PER_LINUX;
  if (!making.config.extra.core_scheduling) return;
  plan.core_scheduling = {.kind = isolation::CoreScheduling::Kind::kCreate,
                          .origin = making.config.extra.core_scheduling_origin};
}

// What was asked for is told too: whoever meets the record later has not seen the spec.
void tell_privileged(Making& making) {
  if (!making.config.extra.privileged) return;
  const bool user_namespace = (making.out.plan.namespaces & CLONE_NEWUSER) != 0;
  making.out.plan.degraded.emplace_back(
      user_namespace
          ? "privileged: no mask, no no_new_privs and, unless the spec says otherwise, every "
            "capability and no system call filter; the user namespace alone holds its root"
          : "privileged with `userns_mode: host`: root of this jail is root of the machine, with "
            "all "
            "capabilities that jaula itself has");
}

std::vector<std::string> candidates_of(const spec::Process& process) {
  const std::string& command = process.args[0];
  if (command.find('/') != std::string::npos) return {command};
  std::vector<std::string> candidates;
  for (const std::string& variable : process.env) {
    if (!variable.starts_with("PATH=")) continue;
    for (const std::string_view directory : split(std::string_view(variable).substr(5), ':'))
      candidates.push_back((directory.empty() ? "." : std::string(directory)) + "/" + command);
  }
  return candidates;
}

void make_payload(Making& making) {
  const spec::Process& process = making.config.process;
  LaunchPlan& plan = making.out.plan;
  plan.init = making.config.extra.init;
  plan.terminal = process.terminal;
  plan.terminal_size = making.options.terminal_size;
  isolation::Payload& payload = plan.payload;
  payload.arguments = process.args;
  payload.environment = process.env;
  if (process.terminal &&
      std::none_of(process.env.begin(), process.env.end(),
                   [](const std::string& variable) { return variable.starts_with("TERM="); }))
    payload.environment.emplace_back("TERM=xterm");
  payload.candidates = candidates_of(process);
  payload.working_directory = process.cwd;
  payload.terminal = process.terminal;
  payload.origin = making.config.extra.command_origin;
  payload.directory_origin = making.config.extra.directory_origin;
  for (std::string& argument : payload.arguments) payload.argv.push_back(argument.data());
  for (std::string& variable : payload.environment) payload.envp.push_back(variable.data());
  payload.argv.push_back(nullptr);
  payload.envp.push_back(nullptr);
}

void validate(Making& making) {
  for (const auto& check : {check_sources, check_targets, check_etc_files})
    for (const Error& problem : check(making.config)) making.out.problems.push_back(problem);
}

}  // namespace

Planned make_plan(const JailConfig& config, const HostFacts& facts, const PlanOptions& options) {
  Making making{.config = config, .facts = facts, .options = options, .out = {}};
  IdPlan ids;
  validate(making);
  make_namespaces(making);
  make_ids(making, ids);
  make_cgroup(making);
  for (Error& problem : check_namespaces(config, facts, making.out.plan.in_cgroup))
    making.out.problems.push_back(problem);
  for (Error& problem : check_nesting(config, facts)) making.out.problems.push_back(problem);
  make_mounts(making, ids, make_devices(making));
  make_sysctls(making, ids);
  make_landlock(making);  // the filter depends on it
  make_credentials(making, ids);
  make_filter(making);
  make_rlimits(making);
  make_execution(making);
  make_payload(making);
  tell_privileged(making);
  return std::move(making.out);
}

Planned make_exec_plan(const JailConfig& config, const HostFacts& facts,
                       const PlanOptions& options) {
  Making making{.config = config, .facts = facts, .options = options, .out = {}};
  IdPlan ids;
  make_namespaces(making);
  make_ids(making, ids);
  make_landlock(making);  // the filter depends on it
  make_credentials(making, ids);
  make_filter(making);
  make_rlimits(making);
  make_execution(making);
  make_payload(making);
  // Access to what is gone by now is nothing to lose.
  making.out.plan.landlock.skip_missing = true;
  making.out.plan.init = false;
  making.out.plan.degraded.clear();  // told when the jail was started
  return std::move(making.out);
}

}  // namespace jaula::plan

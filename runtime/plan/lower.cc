#include "runtime/plan/lower.h"

#include <algorithm>

#include "runtime/base/mutant.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/devices.h"
#include "runtime/plan/lower_files.h"
#include "runtime/plan/masks.h"
#include "runtime/plan/namespaces.h"
#include "runtime/plan/nesting.h"
#include "runtime/plan/privileges.h"
#include "runtime/plan/profile.h"
#include "runtime/plan/seccomp_policy.h"

namespace jaula::plan {
namespace {

using spec::JailConfig;
using spec::ServiceSpec;

template <class T>
T value_or(const spec::Key<T>& key, T otherwise) {
  return key ? key->value : std::move(otherwise);
}

template <class T>
std::string origin_of(const spec::Key<T>& key, const spec::Origin& otherwise) {
  return key ? key->origin.text() : otherwise.text();
}

void lower_root(const ServiceSpec& service, JailConfig& config, std::vector<Error>& problems) {
  if (!service.rootfs) {
    problems.push_back(Error(0, service.origin.text(), ": there is no root file system")
                           .hint("set `rootfs: host` or `rootfs: DIRECTORY`"));
    return;
  }
  const bool host = service.rootfs->value == "host";
  config.extra.root_kind = host ? spec::RootKind::kHost : spec::RootKind::kDirectory;
  config.extra.root_origin = service.rootfs->origin.text();
  config.root_path = host ? "/" : service.rootfs->value;
  config.root_readonly = value_or(service.read_only, false);
  config.extra.ephemeral = value_or(service.ephemeral, true);
  if (host && !config.extra.ephemeral)
    problems.push_back(Error(0, service.ephemeral->origin.text(),
                             ": `rootfs: host` keeps nothing: `ephemeral: false` cannot be")
                           .hint("mount a volume for what is to be kept"));
}

// Behind the user's own, which stay.
void add_groups(JailConfig& config) {
  std::vector<std::uint32_t>& gids = config.process.user.additional_gids;
  for (const std::uint32_t gid : config.extra.group_add)
    if (std::find(gids.begin(), gids.end(), gid) == gids.end()) gids.push_back(gid);
}

void lower_groups(const ServiceSpec& service, const UserDatabase& users, JailConfig& config,
                  std::vector<Error>& problems) {
  for (const auto& group : service.group_add) {
    config.extra.groups_origin = group.origin.text();
    Result<std::uint32_t> gid = find_group(users, group.value);
    if (gid)
      config.extra.group_add.push_back(*gid);
    else
      problems.push_back(gid.error().in(group.origin.text(), ": "));
  }
  add_groups(config);
}

void lower_process(const ServiceSpec& service, const UserDatabase& users, JailConfig& config,
                   std::vector<Error>& problems) {
  spec::Process& process = config.process;
  for (const auto* words : {&service.entrypoint, &service.command})
    if (*words)
      process.args.insert(process.args.end(), (*words)->value.begin(), (*words)->value.end());
  config.extra.command_origin =
      origin_of(service.entrypoint ? service.entrypoint : service.command, service.origin);
  if (process.args.empty() || process.args[0].empty())
    problems.push_back(Error(0, service.origin.text(), ": there is no command to run")
                           .hint("set `command`, or name one after the target"));
  config.extra.user_origin = origin_of(service.user, service.origin);
  Result<spec::User> user =
      find_user(users, service.user ? std::string_view(service.user->value) : "0");
  if (user) {
    process.user = *user;
  } else {
    problems.push_back(user.error().in(config.extra.user_origin, ": "));
  }
  lower_groups(service, users, config, problems);
  process.cwd = value_or<std::string>(service.working_dir, "/");
  if (service.working_dir) config.extra.directory_origin = service.working_dir->origin.text();
  process.no_new_privileges = value_or(service.no_new_privileges, !config.extra.privileged);
  config.extra.init = value_or(service.init, true);
}

void set_variable(std::vector<std::string>& env, const std::string& name,
                  const std::string& value) {
  const auto same = [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  };
  const auto found = std::find_if(env.begin(), env.end(), same);
  (found == env.end() ? env.emplace_back() : *found) = name + "=" + value;
}

void set_home(JailConfig& config, const UserDatabase& users) {
  const std::string home = home_of(users, config.process.user.uid).value_or("");
  set_variable(config.process.env, "HOME", home.empty() ? "/" : home);
}

void lower_environment(const ServiceSpec& service, const UserDatabase& users, JailConfig& config) {
  std::vector<std::string>& env = config.process.env;
  set_variable(env, "PATH", std::string(kPath));
  if (!config.hostname.empty()) set_variable(env, "HOSTNAME", config.hostname);
  set_home(config, users);
  for (const auto& [name, value] : service.environment) set_variable(env, name, value);
}

// After the capabilities, which rules of a profile may depend on. What comes out depends on nothing
// any more: a file is not read again, and exec gets the same.
void lower_seccomp(const ServiceSpec& service, JailConfig& config) {
  if (!service.seccomp) return;
  const spec::Seccomp& seccomp = service.seccomp->value;
  const std::uint64_t held = capability_mask(config.process.capabilities.bounding);
  if (seccomp.profile == spec::SeccompProfile::kFile) {
    config.extra.seccomp_file = seccomp.file.path;
    config.seccomp = lower_file(seccomp.file, held);
  } else if (seccomp.profile == spec::SeccompProfile::kLists) {
    config.seccomp = lower_lists(seccomp.lists, held);
  }
}

void lower_limits(const ServiceSpec& service, JailConfig& config) {
  spec::Resources& resources = config.resources;
  const auto limit = [](const auto& key) {
    return spec::Limit{static_cast<std::uint64_t>(key->value), key->origin.text()};
  };
  if (service.mem_limit) resources.memory = limit(service.mem_limit);
  if (service.cpus) {
    resources.cpu_quota = limit(service.cpus);
    resources.cpu_quota->value = service.cpus->value * resources.cpu_period / 1'000'000;
  }
  if (service.cpu_shares) resources.cpu_shares = limit(service.cpu_shares);
  if (!service.pids_limit) {
    const bool strict = config.extra.seccomp == spec::SeccompProfile::kStrict;
    resources.pids = spec::Limit{strict ? kStrictPids : kDefaultPids, ""};
  } else if (service.pids_limit->value >= 0) {
    resources.pids = limit(service.pids_limit);
  }
  config.extra.shm_size = value_or(service.shm_size, kDefaultShmSize);
  if (service.oom_score_adj) {
    config.process.oom_score_adj = service.oom_score_adj->value;
    config.extra.oom_score_origin = service.oom_score_adj->origin.text();
  }
  config.process.rlimits = {{"RLIMIT_CORE", 0, 0, ""}};
  for (const spec::Ulimit& ulimit : service.ulimits) {
    std::string type = "RLIMIT_";
    for (const char c : ulimit.name) type += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    auto& limits = config.process.rlimits;
    std::erase_if(limits, [&](const auto& other) { return other.type == type; });
    limits.push_back({type, ulimit.soft, ulimit.hard, ulimit.origin.text()});
  }
}

void lower_landlock(const ServiceSpec& service, JailConfig& config) {
  if (!service.landlock) return;
  spec::Extra& extra = config.extra;
  extra.landlock = service.landlock->value;
  extra.landlock_origin = service.landlock->origin.text();
  if (!service.landlock_level) return;
  // The key's own word is nearer than the list of layers.
  std::erase(extra.require, spec::Layer::kLandlock);
  if (service.landlock_level->value == spec::LandlockLevel::kRequire)
    extra.require.push_back(spec::Layer::kLandlock);
}

}  // namespace

void set_user(JailConfig& config, const spec::User& user, const UserDatabase& users) {
  limit_capabilities(config, user.uid);
  config.process.user = user;
  add_groups(config);
  set_home(config, users);
}

Lowered to_jail_config(const ServiceSpec& service, const std::string& name,
                       const UserDatabase& users) {
  Lowered lowered;
  JailConfig& config = lowered.config;
  config.name = name;
  config.hostname = hostname_of(service, name);
  spec::Extra& extra = config.extra;
  if (service.seccomp) extra.seccomp = service.seccomp->value.profile;
  extra.stop_signal = value_or(service.stop_signal, kStopSignal);
  extra.stop_grace_period = value_or(service.stop_grace_period, kStopGracePeriod);
  if (service.time_limit) extra.time_limit = service.time_limit->value;
  if (service.require) extra.require = service.require->value;
  config.labels = service.labels;

  lower_privileged(service, config, lowered.problems);
  lower_root(service, config, lowered.problems);
  lower_process(service, users, config, lowered.problems);
  lower_environment(service, users, config);
  lower_capabilities(service, config);
  lower_seccomp(service, config);
  lower_namespaces(service, config, lowered.problems);
  lower_mounts(service, config);
  lower_devices(service, config);
  lower_masks(service, config, lowered.problems);
  lower_files(service, config);
  lower_names(service, config);
  lower_limits(service, config);
  lower_sysctls(service, config, lowered.problems);
  lower_nesting(service, config, lowered.problems);
  lower_landlock(service, config);
  lower_labels(service, config);
  lower_execution(service, config);
  return lowered;
}

}  // namespace jaula::plan

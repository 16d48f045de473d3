#include "runtime/spec/oci_config.h"

#include "runtime/spec/json_reader.h"
#include "runtime/spec/json_writer.h"
#include "runtime/spec/seccomp_names.h"

namespace jaula::spec {
namespace {

constexpr Word<RootKind> kRootKinds[] = {{RootKind::kDirectory, "directory"},
                                         {RootKind::kHost, "host"}};
constexpr Word<SeccompProfile> kProfiles[] = {{SeccompProfile::kDefault, "default"},
                                              {SeccompProfile::kStrict, "strict"},
                                              {SeccompProfile::kUnconfined, "unconfined"},
                                              {SeccompProfile::kFile, "file"},
                                              {SeccompProfile::kLists, "lists"}};
// Every architecture but this one is answered ENOSYS.
constexpr std::string_view kArchitecture = "SCMP_ARCH_X86_64";
constexpr Word<UserNamespace::Mode> kUserNamespaces[] = {{UserNamespace::Mode::kAuto, "auto"},
                                                         {UserNamespace::Mode::kHost, "host"},
                                                         {UserNamespace::Mode::kKeepId, "keep-id"},
                                                         {UserNamespace::Mode::kMap, "map"}};
constexpr Word<NamespaceMode> kNamespaceModes[] = {{NamespaceMode::kPrivate, "private"},
                                                   {NamespaceMode::kNone, "none"},
                                                   {NamespaceMode::kHost, "host"},
                                                   {NamespaceMode::kJoin, "join"}};
constexpr Word<Layer> kLayers[] = {{Layer::kCgroup, "cgroup"},
                                   {Layer::kSeccomp, "seccomp"},
                                   {Layer::kLandlock, "landlock"},
                                   {Layer::kUserns, "userns"}};
constexpr Word<FileAccess> kAccesses[] = {
    {FileAccess::kExecute, "exec"}, {FileAccess::kRead, "ro"}, {FileAccess::kWrite, "rw"}};
constexpr Word<LandlockScope> kScopes[] = {
    {LandlockScope::kSignal, "signal"},
    {LandlockScope::kAbstractUnixSocket, "abstract_unix_socket"}};

constexpr Word<Personality> kPersonalities[] = {{Personality::kLinux, "LINUX"},
                                                {Personality::kLinux32, "LINUX32"}};
constexpr Word<FileFrom> kFileFroms[] = {{FileFrom::kFile, "file"},
                                         {FileFrom::kContent, "content"},
                                         {FileFrom::kEnvironment, "environment"}};

void walk_process(auto& json, auto& process) {
  json.member("terminal", process.terminal);
  json.object("user", [&] {
    auto& user = process.user;
    json.member("uid", user.uid);
    json.member("gid", user.gid);
    json.member("umask", user.umask);
    json.member("additionalGids", user.additional_gids);
  });
  json.member("args", process.args);
  json.member("env", process.env);
  json.member("cwd", process.cwd);
  json.object("capabilities", [&] {
    auto& sets = process.capabilities;
    json.member("bounding", sets.bounding);
    json.member("effective", sets.effective);
    json.member("inheritable", sets.inheritable);
    json.member("permitted", sets.permitted);
    json.member("ambient", sets.ambient);
  });
  json.list("rlimits", process.rlimits, [&](auto& limit) {
    json.member("type", limit.type);
    json.member("soft", limit.soft);
    json.member("hard", limit.hard);
  });
  json.member("noNewPrivileges", process.no_new_privileges);
  if (json.present("oomScoreAdj", process.oom_score_adj))
    json.member("oomScoreAdj", *process.oom_score_adj);
  if (json.present("apparmorProfile", process.apparmor_profile))
    json.member("apparmorProfile", *process.apparmor_profile);
}

void walk_limit(auto& json, std::string_view key, auto& limit) {
  if (json.present(key, limit)) json.member(key, limit->value);
}

void walk_resources(auto& json, auto& resources) {
  json.object("memory", [&] { walk_limit(json, "limit", resources.memory); });
  json.object("cpu", [&] {
    walk_limit(json, "shares", resources.cpu_shares);
    walk_limit(json, "quota", resources.cpu_quota);
    json.member("period", resources.cpu_period);
  });
  json.object("pids", [&] { walk_limit(json, "limit", resources.pids); });
}

void walk_mappings(auto& json, std::string_view key, auto& mappings) {
  json.list(key, mappings, [&](auto& mapping) {
    json.member("containerID", mapping.container_id);
    json.member("hostID", mapping.host_id);
    json.member("size", mapping.size);
  });
}

void walk_seccomp(auto& json, auto& seccomp) {
  json.member("defaultAction", seccomp.default_action, kSeccompActions);
  if (json.present("defaultErrnoRet", seccomp.default_errno_ret))
    json.member("defaultErrnoRet", *seccomp.default_errno_ret);
  std::vector<std::string> architectures = {std::string(kArchitecture)};
  json.member("architectures", architectures);
  if (json.present("flags", seccomp.flags)) json.member("flags", *seccomp.flags, kSeccompFlags);
  json.list("syscalls", seccomp.syscalls, [&](auto& rule) {
    json.member("names", rule.names);
    json.member("action", rule.action, kSeccompActions);
    if (json.present("errnoRet", rule.errno_ret)) json.member("errnoRet", *rule.errno_ret);
    json.list("args", rule.args, [&](auto& argument) {
      json.member("index", argument.index);
      json.member("value", argument.value);
      json.member("valueTwo", argument.value_two);
      json.member("op", argument.op, kSeccompOperators);
    });
  });
}

void walk_time_offset(auto& json, std::string_view clock, auto& offset) {
  if (!json.present(clock, offset)) return;
  json.object(clock, [&] {
    json.member("secs", offset->secs);
    json.member("nanosecs", offset->nanosecs);
  });
}

void walk_linux(auto& json, auto& config) {
  json.list("namespaces", config.namespaces, [&](auto& space) {
    json.member("type", space.type);
    if (json.present("path", space.path)) json.member("path", *space.path);
  });
  json.object("timeOffsets", [&] {
    walk_time_offset(json, "monotonic", config.monotonic_offset);
    walk_time_offset(json, "boottime", config.boottime_offset);
  });
  walk_mappings(json, "uidMappings", config.uid_mappings);
  walk_mappings(json, "gidMappings", config.gid_mappings);
  json.member("sysctl", config.sysctl);
  json.object("resources", [&] { walk_resources(json, config.resources); });
  json.member("maskedPaths", config.masked_paths);
  json.member("readonlyPaths", config.readonly_paths);
  if (json.present("personality", config.personality))
    json.object("personality", [&] { json.member("domain", *config.personality, kPersonalities); });
  if (json.present("seccomp", config.seccomp))
    json.object("seccomp", [&] { walk_seccomp(json, *config.seccomp); });
}

// After the limits: which of them there are decides which have an origin.
void walk_origins(auto& json, auto& config) {
  json.member("root", config.extra.root_origin);
  json.member("command", config.extra.command_origin);
  json.member("user", config.extra.user_origin);
  json.member("directory", config.extra.directory_origin);
  json.column("mounts", config.mounts, &MountConfig::origin);
  json.column("rlimits", config.process.rlimits, &RlimitConfig::origin);
  auto& resources = config.resources;
  if (resources.memory) json.member("memory", resources.memory->origin);
  if (resources.cpu_shares) json.member("cpuShares", resources.cpu_shares->origin);
  if (resources.cpu_quota) json.member("cpuQuota", resources.cpu_quota->origin);
  if (resources.pids) json.member("pids", resources.pids->origin);
}

void walk_landlock(auto& json, auto& landlock) {
  json.list("paths", landlock.paths, [&](auto& path) {
    json.member("access", path.access, kAccesses);
    json.member("path", path.path);
  });
  if (json.present("connectTcp", landlock.connect_tcp))
    json.member("connectTcp", *landlock.connect_tcp);
  if (json.present("bindTcp", landlock.bind_tcp)) json.member("bindTcp", *landlock.bind_tcp);
  json.member("scopes", landlock.scopes, kScopes);
}

void walk_devices(auto& json, auto& devices) {
  json.list("devices", devices, [&](auto& device) {
    json.member("source", device.source);
    json.member("destination", device.destination);
    json.member("read", device.read);
    json.member("write", device.write);
    json.member("make", device.make);
  });
}

void walk_selinux(auto& json, auto& label) {
  json.member("user", label.user);
  json.member("role", label.role);
  json.member("type", label.type);
  json.member("level", label.level);
  json.member("disable", label.disable);
}

void walk_extra(auto& json, auto& config) {
  auto& extra = config.extra;
  json.member("name", config.name);
  json.member("rootKind", extra.root_kind, kRootKinds);
  json.member("ephemeral", extra.ephemeral);
  json.member("init", extra.init);
  if (json.present("shmSize", extra.shm_size)) json.member("shmSize", *extra.shm_size);
  json.member("groupAdd", extra.group_add);
  json.member("seccomp", extra.seccomp, kProfiles);
  if (json.present("seccompFile", extra.seccomp_file))
    json.member("seccompFile", *extra.seccomp_file);
  json.member("userns", extra.userns, kUserNamespaces);
  json.member("network", extra.network, kNamespaceModes);
  json.member("ipc", extra.ipc, kNamespaceModes);
  json.member("nesting", extra.nesting);
  json.member("stopSignal", extra.stop_signal);
  json.member("stopGracePeriodMs", extra.stop_grace_period);
  if (json.present("timeLimitMs", extra.time_limit)) json.member("timeLimitMs", *extra.time_limit);
  json.member("require", extra.require, kLayers);
  if (json.present("landlock", extra.landlock))
    json.object("landlock", [&] { walk_landlock(json, *extra.landlock); });
  walk_devices(json, extra.devices);
  if (json.present("selinux", extra.selinux))
    json.object("selinux", [&] { walk_selinux(json, *extra.selinux); });
  json.member("privileged", extra.privileged);
  json.member("coreScheduling", extra.core_scheduling);
  // Never the content: who may read a record is not who may read a secret.
  json.list("files", extra.files, [&](auto& file) {
    json.member("destination", file.destination);
    json.member("secret", file.secret);
    json.member("from", file.from, kFileFroms);
    json.member("source", file.source);
    json.member("uid", file.uid);
    json.member("gid", file.gid);
    json.member("mode", file.mode);
  });
  json.object("resolver", [&] {
    json.member("servers", extra.resolver.servers);
    json.member("search", extra.resolver.search);
    json.member("options", extra.resolver.options);
  });
  json.list("hosts", extra.hosts.names, [&](auto& host) {
    json.member("name", host.name);
    json.member("address", host.address);
  });
  json.object("origins", [&] { walk_origins(json, config); });
}

void walk(auto& json, auto& config) {
  std::string version = "1.0.2";  // the first with process.user.umask
  json.member("ociVersion", version);
  json.object("process", [&] { walk_process(json, config.process); });
  json.object("root", [&] {
    json.member("path", config.root_path);
    json.member("readonly", config.root_readonly);
  });
  json.member("hostname", config.hostname);
  json.list("mounts", config.mounts, [&](auto& mount) {
    json.member("destination", mount.destination);
    json.member("type", mount.type);
    json.member("source", mount.source);
    json.member("options", mount.options);
  });
  json.member("annotations", config.labels);
  json.object("linux", [&] { walk_linux(json, config); });
  json.object("jaula", [&] { walk_extra(json, config); });
}

}  // namespace

void walk_config(JsonWriter& json, const JailConfig& config) { walk(json, config); }
void walk_config(JsonReader& json, JailConfig& config) { walk(json, config); }

std::string to_json(const JailConfig& config) {
  JsonWriter json;
  walk(json, config);
  return std::move(json).finish();
}

Result<JailConfig> config_from_json(std::string_view text) {
  JsonReader json = TRY(JsonReader::parse(text));
  JailConfig config;
  walk(json, config);
  TRY(json.finish());
  return config;
}

}  // namespace jaula::spec

// The waist of jaula: a jail in the words of the OCI runtime specification, complete, with no
// default left open. Service specs are lowered to it, the state of a jail keeps it, exec starts
// from it. Fields that are ours, not OCI's, stand in JailConfig::extra.
// github.com/opencontainers/runtime-spec config.md, config-linux.md
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/spec/service_spec.h"

namespace jaula::spec {

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;  // contains gid
  std::uint32_t umask = 0022;
};

struct CapabilitySets {  // names, CAP_…
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct RlimitConfig {
  std::string type;          // RLIMIT_NOFILE
  std::uint64_t soft, hard;  // UINT64_MAX: unlimited
  std::string origin;
};

struct Process {
  bool terminal = false;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  // NAME=value
  std::string cwd = "/";
  CapabilitySets capabilities;
  std::vector<RlimitConfig> rlimits;
  bool no_new_privileges = true;
  std::optional<std::int64_t> oom_score_adj = {};
  std::optional<std::string> apparmor_profile = {};
};

struct MountConfig {
  std::string destination = {};  // absolute
  std::string type = {};         // bind, tmpfs, proc, sysfs, devpts, mqueue, cgroup2
  std::string source = {};
  std::vector<std::string> options = {};  // mount(8) words: ro, nosuid, rbind, size=64m, …
  std::string origin = {};                // spec line, for messages
};

// A device of the host that is bound into the jail.
struct DeviceConfig {
  std::string source = {};
  std::string destination = {};
  bool read = true, write = true, make = true;
  std::string origin = {};
};

// A limit that the spec asked for carries its line; one of the default profile has none.
struct Limit {
  std::uint64_t value;
  std::string origin;
};

struct Resources {
  std::optional<Limit> memory;        // bytes -> memory.max
  std::optional<Limit> cpu_quota;     // microseconds per cpu_period -> cpu.max
  std::uint64_t cpu_period = 100000;  // microseconds
  std::optional<Limit> cpu_shares;    // v1 scale 2..262144 -> cpu.weight
  std::optional<Limit> pids;          // -> pids.max
};

// One that the jail has of its own, or, with a path, joins. Of a kind that is not listed it has the
// host's.
struct NamespaceConfig {
  std::string type;                      // user pid mount network ipc uts cgroup time
  std::optional<std::string> path = {};  // of the host; or, and that is ours, "jail:NAME"
  std::string origin = {};
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct IdMapping {
  std::uint32_t container_id, host_id, size;
};

// The root of a jail is not always a directory: OCI's root.path plus how it is used.
enum class RootKind : std::uint8_t { kDirectory, kHost };

// A config or a secret. `content` is in memory alone: no record has it.
struct FileConfig {
  std::string destination;  // absolute
  bool secret = false;
  FileFrom from = FileFrom::kFile;
  std::string source;  // a path or a variable; empty: neither
  std::uint32_t uid = 0, gid = 0;
  unsigned mode = 0444;
  std::optional<std::string> content;
  std::string origin;
};

// What the jail's /etc/resolv.conf and /etc/hosts say besides the defaults. `origin`: a key of the
// spec that asks for the file; empty: none does.
struct Resolver {
  std::vector<std::string> servers, search, options;
  std::string origin;
};
struct HostName {
  std::string name, address;
};
struct Hosts {
  std::vector<HostName> names;
  std::string origin;
};

struct Extra {
  RootKind root_kind = RootKind::kDirectory;
  bool ephemeral = false;
  bool init = true;                            // a reaper of ours is PID 1
  std::optional<std::uint64_t> shm_size = {};  // of /dev/shm, in bytes
  std::vector<std::uint32_t> group_add = {};   // of every user of the jail's
  SeccompProfile seccomp = SeccompProfile::kDefault;
  std::optional<std::string> seccomp_file = {};  // kFile: where it was; not read again
  UserNamespace::Mode userns = UserNamespace::Mode::kAuto;
  NamespaceMode network = NamespaceMode::kPrivate;
  NamespaceMode ipc = NamespaceMode::kPrivate;
  std::uint32_t nesting = 0;  // levels of jails that can be made inside
  int stop_signal = 0;
  std::chrono::milliseconds stop_grace_period{};
  std::optional<std::chrono::milliseconds> time_limit;
  std::vector<Layer> require = {Layer::kCgroup, Layer::kSeccomp, Layer::kLandlock, Layer::kUserns};
  std::optional<Landlock> landlock = {};
  std::vector<DeviceConfig> devices = {};
  std::optional<SelinuxLabel> selinux = {};
  bool privileged = false;
  bool core_scheduling = false;
  std::vector<FileConfig> files = {};
  Resolver resolver = {};
  Hosts hosts = {};
  // Spec lines, for messages.
  std::string root_origin, command_origin, user_origin, directory_origin, userns_origin;
  std::string landlock_origin = {}, groups_origin = {}, oom_score_origin = {}, pid_origin = {};
  std::string apparmor_origin = {}, selinux_origin = {}, core_scheduling_origin = {};
  std::map<std::string, std::string> sysctl_origins;                            // by name
  std::map<std::string, std::string> mask_origins = {}, readonly_origins = {};  // by path
};

struct JailConfig {
  std::string name;
  std::string root_path;  // absolute; unused for kHost
  bool root_readonly = false;
  std::string hostname;  // empty: that of a UTS namespace of which it is not known
  Process process;
  std::vector<MountConfig> mounts;  // volumes and tmpfs; the API file systems are the plan's
  std::vector<NamespaceConfig> namespaces;
  std::optional<TimeOffset> monotonic_offset = {}, boottime_offset = {};
  std::vector<IdMapping> uid_mappings;  // empty with userns auto: the plan takes a free range
  std::vector<IdMapping> gid_mappings;
  std::vector<std::pair<std::string, std::string>> sysctl;
  Resources resources;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::optional<SeccompConfig> seccomp;  // of kFile and kLists; a profile of ours has a name alone
  std::optional<Personality> personality = {};
  std::map<std::string, std::string> labels;  // annotations
  Extra extra;
};

}  // namespace jaula::spec

// What the user wrote: one service of a spec file, every value parsed and checked by itself, no
// default filled in. An unset key is nullopt or empty. docs/spec.md is the reference of the words.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/spec/seccomp.h"

namespace jaula::spec {

// [A-Za-z0-9][A-Za-z0-9_.-]{0,63}: what a jail, a service or a project may be called.
bool is_name(std::string_view text);

// NAME|UID[:GROUP|GID]: names as useradd makes them, decimal ids from 0 to 4294967294. A number is
// never looked up as a name, and a name never begins like a number. CVE-2024-40635
bool is_user(std::string_view text);
bool is_group(std::string_view text);  // NAME|GID, likewise

// Where a value stands: file as it was given, line and column (from 1, in characters) and the
// dotted path. For a value from a flag `file` is the flag ("--memory", "--set mem_limit") and line
// is 0. In a spec without a file, what no flag gave has neither.
struct Origin {
  std::string file;
  int line = 0;
  int column = 0;
  std::string path;  // services.web.volumes[1]
  // "web.yaml:14:9: services.web.volumes[1]", or the flag alone. Safe for a terminal.
  [[nodiscard]] std::string text() const;
};

template <class T>
struct Sourced {
  T value;
  Origin origin;
};

template <class T>
using Key = std::optional<Sourced<T>>;

struct Volume {
  std::string source;  // absolute host path; `..` in it is the kernel's to resolve
  std::string target;  // absolute path in the jail, normalised, never "/"
  bool read_only = false;
  bool create_host_path = false;
  bool recursive = true;  // with what is mounted below the source
  bool suid = false;
  bool exec = true;
  bool idmap = false;  // said; whoever can map ids does it anyway
  Origin origin;
};

struct Tmpfs {
  std::string target;                 // absolute, normalised
  std::optional<std::uint64_t> size;  // bytes
  std::optional<unsigned> mode;
  Origin origin;
  std::optional<std::uint32_t> uid = {}, gid = {};  // of the jail
  bool read_only = false;
  bool exec = false;
  bool copy_up = false;  // what the root has at the target is in it
};

// Where the bytes of a config or a secret come from.
enum class FileFrom : std::uint8_t { kFile, kContent, kEnvironment };

struct FileObject {  // of the file's `configs` or `secrets`
  std::string name;
  FileFrom from = FileFrom::kFile;
  std::string value;  // an absolute path of the host, the bytes, or a variable's name
  // The bytes, where they are known: not before a start for kFile, nor for a variable that is not
  // set.
  std::optional<std::string> content;
  Origin origin;
};

struct GrantedFile {  // one that a service gets
  bool secret = false;
  FileObject object;
  std::string target;                     // absolute path in the jail, normalised
  std::optional<std::uint32_t> uid, gid;  // absent: the service's user
  std::optional<unsigned> mode;           // absent: 0444
  Origin origin;
};

struct ExtraHost {  // a line of /etc/hosts
  std::string name;
  std::string address;  // IPv4 or IPv6, as inet_pton(3) reads it
  Origin origin;
};

// Without `make` no node of it can be made, which is so in any user namespace.
struct Device {
  std::string source;  // absolute host path
  std::string target;  // absolute path in the jail, normalised
  bool read = true, write = true, make = true;
  Origin origin;
};

struct Ulimit {
  std::string name;  // docker's: nofile, nproc, core, …
  std::uint64_t soft;
  std::uint64_t hard;  // UINT64_MAX: unlimited
  Origin origin;
};

// What a jail has of one kind of namespace: its own, the host's, or one that is there already.
enum class NamespaceMode : std::uint8_t { kPrivate, kNone, kHost, kJoin };
struct NamespaceChoice {
  NamespaceMode mode = NamespaceMode::kPrivate;
  // kJoin: "jail:NAME", or "ns:" and an absolute path of the host; else empty.
  std::string target;
  bool operator==(const NamespaceChoice&) const = default;
};
// Clocks that start elsewhere than the host's, or those of a time namespace that is there already.
struct TimeChoice {
  std::chrono::milliseconds boottime{}, monotonic{};
  std::string target;  // as above; empty: one of its own
};

enum class Layer : std::uint8_t { kCgroup, kSeccomp, kLandlock, kUserns };  // of `require`

struct IdMapEntry {
  std::uint32_t inside, outside, count;
};
struct UserNamespace {
  enum class Mode : std::uint8_t { kAuto, kHost, kKeepId, kMap } mode = Mode::kAuto;
  std::vector<IdMapEntry> uid_map;  // kMap
  std::vector<IdMapEntry> gid_map;
};

enum class FileAccess : std::uint8_t { kExecute, kRead, kWrite };  // exec, ro, rw
enum class LandlockScope : std::uint8_t { kSignal, kAbstractUnixSocket };
enum class LandlockLevel : std::uint8_t { kRequire, kPrefer };

enum class Personality : std::uint8_t { kLinux, kLinux32 };

// Parts of an SELinux context; those that are empty are jaula's own.
struct SelinuxLabel {
  std::string user = {}, role = {}, type = {}, level = {};
  bool disable = false;  // none is set
};

struct LandlockPath {
  FileAccess access = FileAccess::kRead;
  std::string path = {};  // absolute path in the jail, normalised
  std::string origin = {};
};

struct Landlock {
  std::vector<LandlockPath> paths;                                  // empty: files are left alone
  std::optional<std::vector<std::uint32_t>> connect_tcp, bind_tcp;  // no list: left alone
  std::vector<LandlockScope> scopes;
};

struct ServiceSpec {
  std::string project;  // `name:` of the file, or the directory's name
  std::string name;     // the key under `services:`
  Origin origin;        // of the service

  Key<std::string> rootfs;  // "host" or an absolute directory
  Key<std::vector<std::string>> command;
  Key<std::vector<std::string>> entrypoint;
  // env_file first, then environment, later wins; in the order of first appearance. Names handed
  // on from the caller's environment (`NAME` without a value) are resolved here.
  std::vector<std::pair<std::string, std::string>> environment;
  Key<std::string> working_dir;
  Key<std::string> user;                        // strict form checked: NAME|UID[:GROUP|GID]
  std::vector<Sourced<std::string>> group_add;  // NAME or GID
  Key<std::string> hostname;
  std::vector<Sourced<std::string>> dns;         // addresses
  std::vector<Sourced<std::string>> dns_search;  // domains; "." alone: none
  std::vector<Sourced<std::string>> dns_opt;     // of resolv.conf(5)
  std::vector<ExtraHost> extra_hosts;
  std::vector<Volume> volumes;
  std::vector<Tmpfs> tmpfs;
  std::vector<Device> devices;
  std::vector<GrantedFile> files;  // configs, then secrets
  Key<bool> read_only;
  Key<bool> ephemeral;
  Key<std::uint64_t> mem_limit;   // bytes
  Key<std::uint64_t> cpus;        // millionths of one CPU
  Key<std::uint64_t> cpu_shares;  // 2..262144, cgroup v1's scale as docker has it
  Key<std::int64_t> pids_limit;   // -1: unlimited
  Key<std::uint64_t> shm_size;    // bytes
  Key<std::int64_t> oom_score_adj;
  std::vector<Ulimit> ulimits;
  std::vector<Sourced<std::string>> cap_add;  // CAP_NET_ADMIN, or ALL
  std::vector<Sourced<std::string>> cap_drop;
  Key<bool> privileged;
  Key<std::string> apparmor;  // a profile's name, or "unconfined"; security_opt
  Key<SelinuxLabel> selinux;  // security_opt label=…
  Key<Personality> personality;
  Key<bool> core_scheduling;
  Key<bool> no_new_privileges;  // security_opt no-new-privileges[:true|false]
  // Absolute paths in the jail, normalised, never "/".
  std::vector<Sourced<std::string>> mask;
  std::vector<Sourced<std::string>> readonly_paths;
  std::vector<Sourced<std::string>> unmask;  // of the default profile's, or ALL; security_opt
  std::vector<Sourced<std::pair<std::string, std::string>>> sysctls;
  Key<NamespaceChoice> network_mode, pid, ipc, uts, cgroup;  // the latter also in `namespaces`
  Key<std::int64_t> nesting;
  Key<TimeChoice> time;  // of `namespaces`
  Key<UserNamespace> userns_mode;
  Key<Seccomp> seccomp;  // also security_opt seccomp=unconfined
  Key<int> stop_signal;
  Key<std::chrono::milliseconds> stop_grace_period;
  Key<bool> init;
  std::map<std::string, std::string> labels;
  Key<std::chrono::milliseconds> time_limit;
  Key<std::vector<Layer>> require;  // absent: all
  Key<Landlock> landlock;
  Key<LandlockLevel> landlock_level;  // absent: as `require` says
};

// One thing wrong with a spec. Printed on one line:
// web.yaml:3:5: services.web.comand: unknown key; did you mean `command`?
// --memory: expected a size such as 64m, got "12q"
struct Problem {
  Origin origin;
  std::string text;
  bool warning = false;
  [[nodiscard]] std::string line() const;
};

// A value given outside the file: by --set KEY=VALUE, or by a flag of `run` that stands for a key.
// Variables are not expanded in it: the shell has done that.
struct Override {
  enum class Kind : std::uint8_t {
    kYaml,    // value is YAML text (--set)
    kScalar,  // value is one string, whatever it looks like
    kAppend,  // value is one more string of a list key (-e, -v, --cap-add …)
    kList,    // values is the whole list (the command after TARGET)
  };
  std::string flag;  // "--memory", for messages; "--set" is printed with its key
  // "mem_limit", or the full path "services.web.mem_limit"; deeper ones ("labels.com.example.x",
  // "ulimits.nofile.soft") set one entry, and "name" is the project's.
  std::string key;
  Kind kind = Kind::kYaml;
  std::string value;
  std::vector<std::string> values;
};

struct LoadOptions {
  std::vector<Override> overrides;
  std::string service;  // --service: apply short override keys to this one
  // What relative paths of flags (and of a spec from standard input) start at; empty: the working
  // directory.
  std::string directory;
};

struct SpecFile {
  std::string name;  // `name:`
  std::vector<FileObject> configs, secrets;
  std::vector<ServiceSpec> services;  // in the order of the file; empty when problems has an error
  std::vector<Problem> problems;      // flags first, then by line; a hundred of a kind at most
  [[nodiscard]] bool ok() const;
};

// Reads a spec: `path`, or "-" for standard input. Never throws; a file that cannot be read is a
// Problem too. Parent side.
SpecFile load_spec(const std::string& path, const LoadOptions& options);

// A spec without a file: one service named `name` whose keys are the overrides alone. This is how
// `jaula run ./rootfs CMD` meets the same readers, defaults and checks.
SpecFile make_spec(const std::string& name, const LoadOptions& options);

// The resolved spec as YAML. Reading it back and printing it again gives the same bytes.
std::string to_yaml(const SpecFile& file);

}  // namespace jaula::spec

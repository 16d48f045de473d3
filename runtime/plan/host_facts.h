// What this process may do on this host, as far as a plan depends on it. A plain value: tests make
// their own. Parent side, on the way of every start. capabilities(7), user_namespaces(7), subuid(5)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/hierarchy.h"
#include "isolation/id_maps.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct SubordinateRange {  // host ids
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct HostFacts {
  uid_t euid = 0;
  gid_t egid = 0;
  std::uint64_t capabilities = 0;      // effective; bit n is capability n
  bool initial_user_namespace = true;  // only there do capabilities count for the host
  // What the user of an unprivileged process may map with the helpers. A privileged one maps what
  // it likes, so nothing is read for it.
  std::vector<SubordinateRange> subuid, subgid;
  bool id_map_helpers = false;  // newuidmap and newgidmap are there and can gain their privilege
  std::uint64_t max_processes = UINT64_MAX;  // our hard RLIMIT_NPROC, which only goes down
  cgroups::Hierarchy cgroups;
  // Known where a spec asks for it: other starts do not ask the kernel.
  int landlock_abi = 0;    // 0: none
  int landlock_error = 0;  // why there is none
  bool apparmor = false;
  std::string selinux_context = {};                // of this process; empty: SELinux is not there
  std::uint64_t max_user_namespaces = UINT64_MAX;  // of our user namespace, for each user

  [[nodiscard]] bool has(int capability) const { return (capabilities >> capability & 1) != 0; }
  // May map ids, and mount into them, without help: CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID in the
  // initial user namespace.
  [[nodiscard]] bool privileged() const;
  // May attach a program to a cgroup. bpf(2), capabilities(7)
  [[nodiscard]] bool attaches_programs() const;
};

// Where to look. Data, so that tests can give files of their own.
struct HostSources {
  std::string user_namespace = "/proc/self/ns/user";
  std::string passwd = "/etc/passwd";
  std::string subuid = "/etc/subuid";
  std::string subgid = "/etc/subgid";
  std::string apparmor = "/sys/module/apparmor/parameters/enabled";
  std::string file_systems = "/proc/filesystems";
  std::string context = "/proc/self/attr/current";
  std::string helpers[2] = {isolation::kIdMapHelpers[0], isolation::kIdMapHelpers[1]};
  cgroups::Sources cgroups = {};
};

HostFacts probe_for_start(const HostSources& sources = {});
// With what only some configurations depend on.
HostFacts probe_for(const spec::JailConfig& config, const HostSources& sources = {});

// The ranges that the text of /etc/subuid or /etc/subgid gives to a user, by name or by number.
std::vector<SubordinateRange> subordinate_ranges(std::string_view text, std::string_view user,
                                                 uid_t uid);
// The name of a uid in the text of a passwd file, "" when it has none.
std::string_view user_name(std::string_view passwd, uid_t uid);

}  // namespace jaula::plan

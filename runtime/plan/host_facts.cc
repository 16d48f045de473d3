#include "runtime/plan/host_facts.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "isolation/landlock.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"

namespace jaula::plan {
namespace {

// A host with a directory of users in its files has large ones; more than this is a mistake.
constexpr std::size_t kMaxAccountFile = std::size_t{16} << 20;

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) < 0) return 0;
  return std::uint64_t{sets[1].effective} << 32 | sets[0].effective;
}

// The kernel gives the namespaces it boots with fixed inode numbers (linux/nsfs.h of 6.17, stable
// since 3.8). The identity map in uid_map is no proof: a child namespace can be given one too.
bool is_initial_user_namespace(const std::string& link) {
  constexpr ino_t kInitialUserNamespace = 0xEFFFFFFD;
  struct stat info;
  return ::stat(link.c_str(), &info) == 0 && info.st_ino == kInitialUserNamespace;
}

bool can_gain_privilege(const std::string& helper) {
  struct stat info;
  if (::stat(helper.c_str(), &info) < 0 || ::access(helper.c_str(), X_OK) < 0) return false;
  if (info.st_uid == 0 && (info.st_mode & S_ISUID) != 0) return true;
  return ::getxattr(helper.c_str(), "security.capability", nullptr, 0) > 0;
}

bool has_word(std::string_view text, std::string_view word) {
  for (const std::string_view line : split(text, '\n'))
    if (line.ends_with(word) &&
        (line.size() == word.size() || line[line.size() - 1 - word.size()] == '\t'))
      return true;
  return false;
}

// The kernel ends it with a NUL.
std::string context_of(std::string_view text) {
  return std::string(trim(text.substr(0, text.find('\0'))));
}

}  // namespace

bool HostFacts::privileged() const {
  return initial_user_namespace && has(CAP_SYS_ADMIN) && has(CAP_SETUID) && has(CAP_SETGID);
}

bool HostFacts::attaches_programs() const {
  return initial_user_namespace && has(CAP_NET_ADMIN) && (has(CAP_BPF) || has(CAP_SYS_ADMIN));
}

std::vector<SubordinateRange> subordinate_ranges(std::string_view text, std::string_view user,
                                                 uid_t uid) {
  const std::string number = std::to_string(uid);
  std::vector<SubordinateRange> ranges;
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = split(trim(line), ':');  // OWNER:FIRST:COUNT
    if (fields.size() != 3) continue;
    if (fields[0] != number && (user.empty() || fields[0] != user)) continue;
    // UINT32_MAX is no id: it means "unchanged" to the kernel.
    const auto first = parse_decimal(fields[1], UINT32_MAX - 1);
    const auto count = parse_decimal(fields[2], UINT32_MAX - first.value_or(0));
    if (first && count.value_or(0) != 0)
      ranges.push_back({.first = static_cast<std::uint32_t>(*first),
                        .count = static_cast<std::uint32_t>(*count)});
  }
  return ranges;
}

std::string_view user_name(std::string_view passwd, uid_t uid) {
  for (const std::string_view line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 3 && parse_decimal(fields[2], UINT32_MAX) == uid) return fields[0];
  }
  return {};
}

HostFacts probe_for_start(const HostSources& sources) {
  HostFacts facts;
  facts.euid = ::geteuid();
  facts.egid = ::getegid();
  facts.capabilities = effective_capabilities();
  facts.initial_user_namespace = is_initial_user_namespace(sources.user_namespace);
  rlimit processes{};
  if (::getrlimit(RLIMIT_NPROC, &processes) == 0) facts.max_processes = processes.rlim_max;
  facts.cgroups = cgroups::look(sources.cgroups);
  if (facts.privileged()) return facts;

  // No NSS: a static binary has none, and what it would load is not ours. A user whom /etc/passwd
  // does not know can have ranges by number.
  const std::string passwd = read_or_empty(sources.passwd, kMaxAccountFile);
  const std::string_view user = user_name(passwd, facts.euid);
  facts.subuid =
      subordinate_ranges(read_or_empty(sources.subuid, kMaxAccountFile), user, facts.euid);
  facts.subgid =
      subordinate_ranges(read_or_empty(sources.subgid, kMaxAccountFile), user, facts.euid);
  // With no_new_privs, execve ignores the set-user-ID bit and file capabilities. prctl(2)
  facts.id_map_helpers = can_gain_privilege(sources.helpers[0]) &&
                         can_gain_privilege(sources.helpers[1]) &&
                         ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  return facts;
}

HostFacts probe_for(const spec::JailConfig& config, const HostSources& sources) {
  HostFacts facts = probe_for_start(sources);
  if (config.process.apparmor_profile)
    facts.apparmor = trim(read_or_empty(sources.apparmor)) == "Y";
  // Its file system is there when it runs, wherever that is mounted, or not.
  if (config.extra.selinux && has_word(read_or_empty(sources.file_systems), "selinuxfs"))
    facts.selinux_context = context_of(read_or_empty(sources.context));
  if (config.extra.nesting > 0)
    if (const auto most = parse_decimal(trim(read_or_empty("/proc/sys/user/max_user_namespaces"))))
      facts.max_user_namespaces = *most;
  if (!config.extra.landlock) return facts;
  const Result<int> abi = isolation::landlock_abi();
  facts.landlock_abi = abi ? *abi : 0;
  facts.landlock_error = abi ? 0 : abi.error().code();
  return facts;
}

}  // namespace jaula::plan

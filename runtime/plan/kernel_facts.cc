#include "runtime/plan/kernel_facts.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <utility>

#include "isolation/landlock.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/plan/trials.h"

namespace jaula::plan {
namespace {

std::string line_of(const std::string& path) { return std::string(trim(read_or_empty(path))); }

// EPERM is what container engines' seccomp filters answer for what they do not know.
bool is_absent(long result) { return result < 0 && (errno == ENOSYS || errno == EPERM); }

// Each call has arguments that the kernel refuses before it looks at anything else.
std::vector<std::string> absent_syscalls() {
  constexpr unsigned kNoSuchFlags = ~0U;
  std::vector<std::string> absent;
  const auto check = [&](const char* name, long result) {
    if (is_absent(result)) absent.emplace_back(name);
  };
  check("clone3", ::syscall(SYS_clone3, nullptr, 0));
  check("openat2", ::syscall(SYS_openat2, -1, nullptr, nullptr, 0));
  check("pidfd_open", ::syscall(SYS_pidfd_open, -1, kNoSuchFlags));
  check("pidfd_send_signal", ::syscall(SYS_pidfd_send_signal, -1, 0, nullptr, kNoSuchFlags));
  check("close_range", ::syscall(SYS_close_range, 1, 0, 0));
  check("open_tree", ::syscall(SYS_open_tree, -1, nullptr, kNoSuchFlags));
  check("mount_setattr", ::syscall(SYS_mount_setattr, -1, nullptr, kNoSuchFlags, nullptr, 0));
  return absent;
}

// The kernel tells a flag that it does not know (EINVAL) from a descriptor that is none (EBADF).
bool has_clone_into_cgroup() {
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = INT_MAX;
  const Result<pid_t> pid = sys::clone3(args);
  if (pid && *pid == 0) sys::exit_now(0);
  return !pid && pid.error().code() == EBADF;
}

bool is_at_least(std::string_view release, std::uint64_t major, std::uint64_t minor) {
  const auto parts = split(release.substr(0, release.find_first_not_of("0123456789.")), '.');
  if (parts.size() < 2) return false;
  return std::pair(parse_decimal(parts[0]).value_or(0), parse_decimal(parts[1]).value_or(0)) >=
         std::pair(major, minor);
}

void probe_namespaces(KernelFacts& facts) {
  for (const std::string name : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    if (::access(("/proc/self/ns/" + name).c_str(), F_OK) != 0)
      facts.no_namespace.push_back(name);
    else if (line_of("/proc/sys/user/max_" + name + "_namespaces") == "0")
      facts.exhausted.push_back(name);
  }
  facts.userns_needs_privilege = line_of("/proc/sys/kernel/unprivileged_userns_clone") == "0";
  facts.userns_confined = line_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1";
}

void probe_landlock(KernelFacts& facts) {
  const Result<int> abi = isolation::landlock_abi();
  facts.landlock.error = abi ? 0 : abi.error().code();
  facts.landlock_abi = abi ? *abi : 0;
  facts.apparmor = line_of("/sys/module/apparmor/parameters/enabled") == "Y";
  facts.selinux = read_or_empty("/proc/filesystems").find("\tselinuxfs\n") != std::string::npos;
  facts.security_modules = line_of("/sys/kernel/security/lsm");
}

}  // namespace

KernelFacts probe_kernel() {
  KernelFacts facts;
  utsname name{};
  ::uname(&name);
  facts.release = name.release;
  facts.no_syscall = absent_syscalls();
  facts.clone_into_cgroup = has_clone_into_cgroup();
  facts.cgroup_kill = is_at_least(facts.release, 5, 14);
  probe_namespaces(facts);
  facts.seccomp_actions = line_of("/proc/sys/kernel/seccomp/actions_avail");
  probe_landlock(facts);
  facts.ptrace_scope = line_of("/proc/sys/kernel/yama/ptrace_scope");
  facts.core_pattern = line_of("/proc/sys/kernel/core_pattern");
  facts.user_namespace = try_user_namespace();
  facts.proc = try_proc();
  facts.overlay = try_overlay();
  facts.keyring = try_keyring();
  facts.idmapped_root = try_idmapped_root();
  facts.idmapped_tmpfs = try_idmapped_tmpfs();
  facts.device_program = try_device_program();
  facts.core_scheduling = try_core_scheduling();
  return facts;
}

}  // namespace jaula::plan

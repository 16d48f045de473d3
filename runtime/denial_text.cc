#include "runtime/denial_text.h"

#include <cstdio>

#include "runtime/spec/syscall_names.h"

namespace jaula {
namespace {

// One string: a table of strings would be relocated at every start of jaula. Names and types are
// those of events/syscalls/sys_enter_*/format in tracefs (Linux 6.18).
// clang-format off
constexpr std::string_view kKinds =
    " accept:dpp accept4:dppx access:pd acct:p add_key:pppUu adjtimex:p alarm:u arch_prctl:xU "
    "bind:dpd bpf:xpu brk:U cachestat:uppx capget:pp capset:pd chdir:p chmod:po chown:puu "
    "chroot:p clock_adjtime:dp clock_getres:dp clock_gettime:dp clock_nanosleep:dxpp "
    "clock_settime:dp clone:xUppU clone3:pU close:u close_range:uux connect:dpd "
    "copy_file_range:dpdpUx creat:po delete_module:px dup:u dup2:uu dup3:uux epoll_create:d "
    "epoll_create1:x epoll_ctl:dxdp epoll_pwait:dpddpU epoll_pwait2:dpdppU epoll_wait:dpdd "
    "eventfd:u eventfd2:ux execve:ppp execveat:dpppx exit:d exit_group:d faccessat:dpd "
    "faccessat2:dpdx fadvise64:dDUd fallocate:ddDD fanotify_init:xx fanotify_mark:dxxdp fchdir:u "
    "fchmod:uo fchmodat:dpo fchmodat2:dpox fchown:uuu fchownat:dpuux fcntl:uxU fdatasync:u "
    "fgetxattr:dppU file_getattr:dppUx file_setattr:dppUx finit_module:dpd flistxattr:dpU "
    "flock:ux fork: fremovexattr:dp fsconfig:dxppd fsetxattr:dppUx fsmount:dxx fsopen:px "
    "fspick:dpx fstat:up fstatfs:up fsync:u ftruncate:uD futex:pxuppu futex_requeue:pxdd "
    "futex_wait:pUxxpd futex_waitv:puxpd futex_wake:pxdx futimesat:dpp get_mempolicy:ppUUx "
    "get_robust_list:dpp getcpu:ppp getcwd:pU getdents:upu getdents64:upu getegid: geteuid: "
    "getgid: getgroups:dp getitimer:dp getpeername:dpp getpgid:d getpgrp: getpid: getppid: "
    "getpriority:dd getrandom:pUx getresgid:ppp getresuid:ppp getrlimit:up getrusage:dp getsid:d "
    "getsockname:dpp getsockopt:dddpp gettid: gettimeofday:pp getuid: getxattr:pppU "
    "getxattrat:dpxppU init_module:pUp inotify_add_watch:dpx inotify_init: inotify_init1:x "
    "inotify_rm_watch:dd io_cancel:ppp io_destroy:p io_getevents:pDDpp io_pgetevents:pDDppp "
    "io_setup:up io_submit:pDp io_uring_enter:uuuxpU io_uring_register:uupu io_uring_setup:up "
    "ioctl:uxU ioperm:UUd iopl:u ioprio_get:dd ioprio_set:ddd kcmp:dddUU kexec_file_load:ddUpx "
    "kexec_load:UUpx keyctl:xUUUU kill:dd landlock_add_rule:ddpx landlock_create_ruleset:pdx "
    "landlock_restrict_self:dx lchown:puu lgetxattr:pppU link:pp linkat:dpdpx listen:dd "
    "listmount:ppUx listns:ppUx listxattr:ppU listxattrat:dpxpU llistxattr:ppU lremovexattr:pp "
    "lseek:uDu lsetxattr:pppUx lsm_get_self_attr:uppx lsm_list_modules:ppx lsm_set_self_attr:upux "
    "lstat:pp madvise:UUd map_shadow_stack:UUx mbind:UUUpUx membarrier:xxd memfd_create:px "
    "memfd_secret:x migrate_pages:dUpp mincore:UUp mkdir:po mkdirat:dpo mknod:pou mknodat:dpou "
    "mlock:UU mlock2:UUx mlockall:x mmap:UUxxUU modify_ldt:dpU mount:pppxp mount_setattr:dpxpU "
    "move_mount:dpdpx move_pages:dUpppx mprotect:UUx mq_getsetattr:dpp mq_notify:dp mq_open:pxop "
    "mq_timedreceive:dpUpp mq_timedsend:dpUup mq_unlink:p mremap:UUUxU mseal:UUx msgctl:dxp "
    "msgget:dd msgrcv:dpUDd msgsnd:dpUd msync:UUx munlock:UU munlockall: munmap:UU "
    "name_to_handle_at:dpppx nanosleep:pp newfstatat:dppx open:pxo open_by_handle_at:dpx "
    "open_tree:dpx open_tree_attr:dpxpU openat:dpxo openat2:dppU pause: perf_event_open:pdddx "
    "personality:u pidfd_getfd:ddx pidfd_open:dx pidfd_send_signal:ddpx pipe:p pipe2:px "
    "pivot_root:pp pkey_alloc:xU pkey_free:d pkey_mprotect:UUxd poll:pud ppoll:puppU prctl:xUUUU "
    "pread64:upUD preadv:UpUUU preadv2:UpUUUx prlimit64:dupp process_madvise:dpUdx "
    "process_mrelease:dx process_vm_readv:dpUpUx process_vm_writev:dpUpUx pselect6:dppppp "
    "ptrace:xDUU pwrite64:upUD pwritev:UpUUU pwritev2:UpUUUx quotactl:xpup quotactl_fd:uxup "
    "read:upU readahead:dDU readlink:ppd readlinkat:dppd readv:UpU reboot:xxxp recvfrom:dpUxpp "
    "recvmmsg:dpuxp recvmsg:dpx remap_file_pages:UUxUx removexattr:pp removexattrat:dpxp "
    "rename:pp renameat:dpdp renameat2:dpdpx request_key:pppu restart_syscall: rmdir:p rseq:puxu "
    "rt_sigaction:dppU rt_sigpending:pU rt_sigprocmask:dppU rt_sigqueueinfo:ddp rt_sigreturn: "
    "rt_sigsuspend:pU rt_sigtimedwait:pppU rt_tgsigqueueinfo:dddp sched_get_priority_max:d "
    "sched_get_priority_min:d sched_getaffinity:dup sched_getattr:dpux sched_getparam:dp "
    "sched_getscheduler:d sched_rr_get_interval:dp sched_setaffinity:dup sched_setattr:dpx "
    "sched_setparam:dp sched_setscheduler:ddp sched_yield: seccomp:xxp select:dpppp semctl:ddxU "
    "semget:ddd semop:dpu semtimedop:dpup sendfile:ddpU sendmmsg:dpux sendmsg:dpx sendto:dpUxpd "
    "set_mempolicy:dpU set_mempolicy_home_node:UUUx set_robust_list:pU set_tid_address:p "
    "setdomainname:pd setfsgid:u setfsuid:u setgid:u setgroups:dp sethostname:pd setitimer:dpp "
    "setns:dx setpgid:dd setpriority:ddd setregid:uu setresgid:uuu setresuid:uuu setreuid:uu "
    "setrlimit:up setsid: setsockopt:dddpd settimeofday:pp setuid:u setxattr:pppUx "
    "setxattrat:dpxppU shmat:dpd shmctl:dxp shmdt:p shmget:dUd shutdown:dd sigaltstack:pp "
    "signalfd:dpx signalfd4:dpxx socket:ddx socketpair:ddxp splice:dpdpUx stat:pp statfs:pp "
    "statmount:ppUx statx:dpxxp swapoff:p swapon:px symlink:pp symlinkat:pdp sync: "
    "sync_file_range:dDDx syncfs:d sysfs:xUU sysinfo:p syslog:dpd tee:ddUx tgkill:ddd time:p "
    "timer_create:dpp timer_delete:d timer_getoverrun:d timer_gettime:dp timer_settime:dxpp "
    "timerfd_create:dx timerfd_gettime:dp timerfd_settime:dxpp times:p tkill:dd truncate:pD "
    "umask:x umount2:px uname:p unlink:p unlinkat:dpx unshare:x uprobe: uretprobe: userfaultfd:x "
    "ustat:up utime:pp utimensat:dppx utimes:pp vfork: vhangup: vmsplice:dpUx wait4:dpdp "
    "waitid:ddpdp write:upU writev:UpU ";  // clang-format on

std::string number_text(char kind, std::uint64_t value) {
  char text[24];
  constexpr std::uint64_t kLargeForPeople = 4096;  // rather an address, or bits
  const bool wide = kind == 'U' || kind == 'D' || kind == 'x';
  const std::uint64_t bits = wide ? value : static_cast<std::uint32_t>(value);
  const bool is_signed = kind == 'd' || kind == 'D';
  if (kind == 'o')
    std::snprintf(text, sizeof text, "%#llo", static_cast<unsigned long long>(bits));
  else if (kind == 'x' || (!is_signed && bits >= kLargeForPeople))
    std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(bits));
  else if (kind == 'd')
    std::snprintf(text, sizeof text, "%d", static_cast<std::int32_t>(bits));
  else
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(bits));
  return text;
}

}  // namespace

std::string_view argument_kinds(std::string_view syscall) {
  const std::string wanted = std::string(" ").append(syscall).append(":");
  const std::size_t found = kKinds.find(wanted);
  if (found == std::string_view::npos) return {};
  const std::size_t at = found + wanted.size();
  return kKinds.substr(at, kKinds.find(' ', at) - at);
}

std::string syscall_text(int number) {
  const std::string_view name = spec::syscall_name(number);
  return name.empty() ? std::to_string(number) : std::string(name);
}

std::vector<std::optional<std::int64_t>> argument_numbers(const Denial& denial) {
  std::vector<std::optional<std::int64_t>> numbers;
  const std::string_view kinds = argument_kinds(spec::syscall_name(denial.number));
  for (std::size_t i = 0; i < kinds.size() && i < denial.arguments.size(); ++i) {
    const std::uint64_t value = denial.arguments[i];
    if (kinds[i] == 'p')
      numbers.emplace_back(std::nullopt);
    else if (kinds[i] == 'd')
      numbers.emplace_back(static_cast<std::int32_t>(value));
    else if (kinds[i] == 'u' || kinds[i] == 'o')
      numbers.emplace_back(static_cast<std::uint32_t>(value));
    else
      numbers.emplace_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

std::string call_text(const Denial& denial) {
  std::string text = syscall_text(denial.number) + "(";
  const std::string_view kinds = argument_kinds(spec::syscall_name(denial.number));
  for (std::size_t i = 0; i < kinds.size() && i < denial.arguments.size(); ++i) {
    if (i != 0) text += ", ";
    const std::uint64_t value = denial.arguments[i];
    if (kinds[i] == 'p')
      text += value == 0 ? "NULL" : "pointer";
    else
      text += number_text(kinds[i], value);
  }
  return text + ")";
}

}  // namespace jaula

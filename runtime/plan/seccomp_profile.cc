#include "runtime/plan/seccomp_profile.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

namespace jaula::plan {

void named_twice();  // never defined: named in the compiler's error

namespace {

using spec::kSyscallEnd;
using spec::SeccompProfile;
using spec::syscall_name;
using spec::syscall_number;

enum Scope : bool { kDefaultOnly, kStrictToo };

struct Group {
  Scope scope;
  std::string_view names;  // one space between two
};

// What is let through. A call that is in no group, no rule and no grant is denied with EPERM, so a
// name added to the table stays denied until somebody decides.
constexpr Group kAllowed[] = {
    // Names, attributes and content of files.
    {kStrictToo,
     "access chdir chmod chown close close_range creat faccessat faccessat2 fadvise64 fallocate "
     "fchdir fchmod fchmodat fchmodat2 fchown fchownat fdatasync fgetxattr flistxattr flock fstat "
     "fstatfs fsync ftruncate getcwd getdents64 getxattr getxattrat lchown lgetxattr link linkat "
     "listxattr listxattrat llistxattr lstat mkdir mkdirat newfstatat open openat openat2 readlink "
     "readlinkat rename renameat renameat2 rmdir stat statfs statx symlink symlinkat sync "
     "sync_file_range syncfs truncate umask unlink unlinkat utime utimensat utimes"},
    {kStrictToo, "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch"},
    // mknod is for FIFOs here: a device needs CAP_MKNOD of the first user namespace.
    {kDefaultOnly,
     "cachestat fremovexattr fsetxattr futimesat getdents lremovexattr lsetxattr mknod mknodat "
     "readahead removexattr removexattrat setxattr setxattrat"},
    // Reading, writing and waiting.
    {kStrictToo,
     "copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 "
     "epoll_wait eventfd2 fcntl io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit "
     "lseek pipe pipe2 poll ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read "
     "readv select sendfile signalfd4 write writev"},
    {kDefaultOnly, "eventfd signalfd splice tee"},
    // Memory; shm* is what postgres guards its data directory with.
    {kStrictToo,
     "brk madvise map_shadow_stack membarrier memfd_create mlock mlock2 mmap mprotect mremap mseal "
     "msync munlock munmap pkey_alloc pkey_free pkey_mprotect shmat shmctl shmdt shmget"},
    {kDefaultOnly, "mincore mlockall munlockall"},
    // Processes and threads. The kernel's own trampolines call uprobe and uretprobe in a process
    // that somebody traces from outside: denying them breaks it, not the tracer.
    {kStrictToo,
     "arch_prctl execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv "
     "futex_wake getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid "
     "gettid kill pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq "
     "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam "
     "sched_getscheduler sched_setaffinity sched_yield set_robust_list set_tid_address setpgid "
     "setpriority setrlimit setsid sysinfo tgkill times tkill uname uprobe uretprobe vfork wait4 "
     "waitid"},
    {kDefaultOnly,
     "get_robust_list ioprio_get ioprio_set process_mrelease sched_getattr sched_rr_get_interval "
     "sched_setattr sched_setparam sched_setscheduler"},
    // What a process gives up for itself.
    {kStrictToo, "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"},
    // Signals.
    {kStrictToo,
     "pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
     "rt_sigtimedwait sigaltstack"},
    {kDefaultOnly, "rt_tgsigqueueinfo"},
    // Clocks and timers.
    {kStrictToo,
     "alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer "
     "time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create "
     "timerfd_gettime timerfd_settime"},
    // Identity. Without capabilities these only reach what the process already is.
    {kStrictToo,
     "capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setgid setgroups "
     "setresgid setresuid setuid"},
    {kDefaultOnly, "setfsgid setfsuid setregid setreuid"},
    // Sockets, once socket() has given one.
    {kStrictToo,
     "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg "
     "recvmsg sendmmsg sendmsg sendto setsockopt shutdown"},
    {kStrictToo, "getrandom"},
    // System V and POSIX queues and semaphores: the jail has its own IPC namespace.
    {kDefaultOnly,
     "mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv "
     "msgsnd semctl semget semop semtimedop"},
};

// What is answered as by a kernel that does not have it. First what none of today's has; then what
// every caller has another way for, taken on ENOSYS alone: the C library goes from clone3, whose
// flags no filter can see, to clone, and libmount from statmount to /proc/self/mountinfo.
constexpr std::string_view kNotThere =
    "_sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms "
    "get_thread_area getpmsg lookup_dcookie nfsservctl putpmsg query_module security "
    "set_thread_area tuxcall uselib vserver "
    "clone3 file_getattr file_setattr listmount listns lsm_get_self_attr lsm_list_modules "
    "lsm_set_self_attr open_tree_attr statmount";

struct Grant {
  int capability;
  std::string_view names;
};

constexpr Grant kGrants[] = {
    {CAP_BPF, "bpf"},
    {CAP_DAC_READ_SEARCH, "name_to_handle_at open_by_handle_at"},
    {CAP_PERFMON, "perf_event_open"},
    {CAP_SYSLOG, "syslog"},
    {CAP_SYS_ADMIN,
     "bpf clone clone3 fanotify_init fanotify_mark fsconfig fsmount fsopen fspick listmount listns "
     "mount mount_setattr move_mount open_tree open_tree_attr perf_event_open pivot_root quotactl "
     "quotactl_fd setdomainname sethostname setns statmount syslog umount2 unshare"},
    {CAP_SYS_BOOT, "reboot"},
    {CAP_SYS_CHROOT, "chroot"},
    {CAP_SYS_MODULE, "delete_module finit_module init_module"},
    {CAP_SYS_NICE,
     "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node"},
    {CAP_SYS_PACCT, "acct"},
    {CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"},
    {CAP_SYS_RAWIO, "ioperm iopl"},
    {CAP_SYS_TIME, "adjtimex clock_adjtime clock_settime settimeofday"},
    {CAP_SYS_TTY_CONFIG, "vhangup"},
};

// TIOCSTI and TIOCLINUX type into the terminal a jail was handed (CVE-2017-5226, CVE-2023-28100);
// TIOCSETD loads line disciplines, code nobody expects behind a pty (CVE-2017-2636, -2023-6546).
constexpr Clause kIoctl[] = {
    {.when = {1, TIOCSTI}, .then = Action::kNotPermitted},
    {.when = {1, TIOCLINUX}, .then = Action::kNotPermitted},
    {.when = {1, TIOCSETD}, .then = Action::kNotPermitted},
};

// CLONE_NEWTIME is not among them: its bit is part of the exit signal in clone's flags.
constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr Clause kClone[] = {
    {.when = {0, 0, kNewNamespaces}, .then = Action::kAllow},
};

// A family that is not there is EAFNOSUPPORT, a netlink protocol EPROTONOSUPPORT, as a kernel built
// without them says: libaudit, and with it every PAM login, goes on after those and fails on EPERM.
// The kernel makes (AF_INET, SOCK_PACKET) an AF_PACKET socket; the type's upper bits are flags.
constexpr std::uint32_t kSocketTypeMask = 0xf;
constexpr std::uint64_t kNetRaw = std::uint64_t{1} << CAP_NET_RAW;
constexpr std::uint64_t kNetAdmin = std::uint64_t{1} << CAP_NET_ADMIN;
// Landlock knows the ports of plain TCP alone: MPTCP and SMC make connections of TCP, too.
constexpr std::uint32_t kMptcp = 262;  // IPPROTO_MPTCP
constexpr std::uint32_t kSmc = 256;    // IPPROTO_SMC, Linux 6.11
constexpr Clause no_other_tcp(std::uint32_t family, std::uint32_t protocol) {
  return {.when = {0, family},
          .also = Condition{2, protocol},
          .then = Action::kNoSuchProtocol,
          .limits_tcp = true};
}
constexpr Clause kSocket[] = {
    {.when = {0, AF_UNIX}, .then = Action::kAllow},
    no_other_tcp(AF_INET, kMptcp),
    no_other_tcp(AF_INET, kSmc),
    no_other_tcp(AF_INET6, kMptcp),
    no_other_tcp(AF_INET6, kSmc),
    {.when = {0, AF_INET},
     .also = Condition{1, SOCK_PACKET, kSocketTypeMask},
     .then = Action::kNoSuchFamily,
     .unless = kNetRaw},
    {.when = {0, AF_INET}, .then = Action::kAllow},
    {.when = {0, AF_INET6}, .then = Action::kAllow},
    {.when = {0, AF_NETLINK}, .then = Action::kAllow, .needs = kNetAdmin},
    {.when = {0, AF_NETLINK},
     .also = Condition{2, NETLINK_ROUTE},
     .then = Action::kAllow,
     .unless = kNetAdmin},
    {.when = {0, AF_NETLINK}, .then = Action::kNoSuchProtocol, .unless = kNetAdmin},
    {.when = {0, AF_PACKET}, .then = Action::kAllow, .needs = kNetRaw},
};

// Asking, and being an ordinary or an old Linux. The other bits switch off what guards memory:
// address randomisation, the unmapped page at zero, pages that are not executable.
constexpr std::uint32_t kLinux32 = PER_LINUX32;
constexpr Clause kPersonality[] = {
    {.when = {0, PER_LINUX}, .then = Action::kAllow},
    {.when = {0, UINT32_MAX}, .then = Action::kAllow},
    {.when = {0, kLinux32}, .then = Action::kAllow},
    {.when = {0, UNAME26}, .then = Action::kAllow},
    {.when = {0, kLinux32 | UNAME26}, .then = Action::kAllow},
};

// Fast Open connects while it sends, and Landlock is not asked (Linux 6.18). EOPNOTSUPP: as with
// the sysctl net.ipv4.tcp_fastopen off.
constexpr Clause kSendTo[] = {
    {.when = {3, MSG_FASTOPEN, MSG_FASTOPEN}, .then = Action::kNotSupported}};
constexpr Clause kSendMessage[] = {
    {.when = {2, MSG_FASTOPEN, MSG_FASTOPEN}, .then = Action::kNotSupported}};

constexpr ArgumentRule kRules[] = {
    {syscall_number("ioctl"), kIoctl, Action::kAllow},
    {syscall_number("socket"), kSocket, Action::kNoSuchFamily},
    {syscall_number("socketpair"), kSocket, Action::kNoSuchFamily},
    {syscall_number("clone"), kClone, Action::kNotPermitted},
    {syscall_number("personality"), kPersonality, Action::kNotPermitted, false},
    // Where TCP ports are limited.
    {syscall_number("sendto"), kSendTo, Action::kAllow},
    {syscall_number("sendmsg"), kSendMessage, Action::kAllow},
    {syscall_number("sendmmsg"), kSendTo, Action::kAllow},
};
constexpr std::span<const ArgumentRule> kRulesOfAll = std::span(kRules).first<5>();
constexpr std::span<const ArgumentRule> kRulesOfLimitedTcp = std::span(kRules).subspan<5>();

using Actions = std::array<Action, kSyscallEnd>;

consteval std::size_t take_number(std::string_view& names) {
  const std::string_view name = names.substr(0, names.find(' '));
  names.remove_prefix(name.size() < names.size() ? name.size() + 1 : name.size());
  return static_cast<std::size_t>(syscall_number(name));
}

consteval void assign(Actions& actions, std::string_view names, Action action) {
  while (!names.empty()) {
    Action& one = actions[take_number(names)];
    if (one != Action::kNotPermitted) named_twice();
    one = action;
  }
}

consteval Actions actions_of(bool strict) {
  Actions actions{};
  for (int number = 0; number < kSyscallEnd; ++number)
    actions[static_cast<std::size_t>(number)] =
        syscall_name(number).empty() ? Action::kNoSuchCall : Action::kNotPermitted;
  for (const Group& group : kAllowed)
    if (group.scope == kStrictToo || !strict) assign(actions, group.names, Action::kAllow);
  for (const ArgumentRule& rule : kRulesOfAll)
    if (rule.in_strict || !strict) assign(actions, syscall_name(rule.number), Action::kByArguments);
  assign(actions, kNotThere, Action::kNoSuchCall);
  return actions;
}

// The capabilities of which one is enough for the call, by number.
consteval std::array<std::uint64_t, kSyscallEnd> granting_capabilities() {
  std::array<std::uint64_t, kSyscallEnd> granting{};
  for (const Grant& grant : kGrants)
    for (std::string_view names = grant.names; !names.empty();)
      granting[take_number(names)] |= std::uint64_t{1} << grant.capability;
  return granting;
}

constexpr Actions kDefaultActions = actions_of(false);
constexpr Actions kStrictActions = actions_of(true);
constexpr auto kGrantingCapabilities = granting_capabilities();

}  // namespace

Policy make_policy(SeccompProfile profile, std::uint64_t capabilities, bool limits_tcp) {
  const bool strict = profile == SeccompProfile::kStrict;
  Policy policy{.actions = strict ? kStrictActions : kDefaultActions,
                .rules = limits_tcp ? std::span(kRules) : kRulesOfAll,
                .capabilities = strict ? 0 : capabilities,
                .limits_tcp = limits_tcp};
  if (limits_tcp)
    for (const ArgumentRule& rule : kRulesOfLimitedTcp)
      policy.actions[static_cast<std::size_t>(rule.number)] = Action::kByArguments;
  if (strict) return policy;
  for (std::size_t number = 0; number < kGrantingCapabilities.size(); ++number)
    if ((kGrantingCapabilities[number] & capabilities) != 0)
      policy.actions[number] = Action::kAllow;
  return policy;
}

}  // namespace jaula::plan

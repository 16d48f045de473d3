/* floor: the physical limit of starting a jail, the yardstick of tests/bench/run.
 *
 *   FLOOR_CGROUP=/sys/fs/cgroup floor [--throw-away] ROOTDIR CMD [ARG...]
 *   floor --print-filter          the BPF program, for peers that take one
 *
 * Nothing is decided and nothing checked but the return of each call: these are the syscalls that
 * give CMD a cgroup, seven namespaces with 65,536 ids of its own, the root ROOTDIR, the mounts and
 * masks of the default profile, few capabilities and a filter, and that take it all away again.
 * With --throw-away what CMD writes to its root goes into an overlay that ends with it.
 * It trusts ROOTDIR, which a jail runtime may not. FLOOR_CGROUP is a cgroup2 mount holding the
 * directory jaula-bench; floor makes and removes one child of that. Needs root and Linux 5.12.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TRY(call)           \
  ({                        \
    long r_ = (call);       \
    if (r_ < 0) die(#call); \
    (int)r_;                \
  })

static void die(const char* call) {
  dprintf(2, "floor: %s: %s\n", call, strerror(errno));
  _exit(125);
}

/* What the default profile hides and freezes. Names this kernel lacks are passed over. */
static const char* const masked_files[] = {
    "proc/kcore",      "proc/keys",     "proc/kallsyms",      "proc/timer_list", "proc/sched_debug",
    "proc/interrupts", "proc/kmsg",     "proc/latency_stats", "proc/kpagecount", "proc/kpagecgroup",
    "proc/kpageflags", "proc/slabinfo", "proc/vmallocinfo",   "proc/config.gz"};
static const char* const masked_dirs[] = {"proc/acpi",        "proc/asound",
                                          "proc/scsi",        "sys/firmware",
                                          "sys/kernel/debug", "sys/kernel/tracing",
                                          "sys/fs/bpf",       "sys/kernel/security",
                                          "sys/fs/pstore",    "sys/devices/virtual/powercap"};
static const char* const read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                        "proc/sysrq-trigger"};
static const char* const nodes[][2] = {
    {"/dev/null", "dev/null"},     {"/dev/zero", "dev/zero"},       {"/dev/full", "dev/full"},
    {"/dev/random", "dev/random"}, {"/dev/urandom", "dev/urandom"}, {"/dev/tty", "dev/tty"}};
static const char* const links[][2] = {{"/proc/self/fd", "dev/fd"},
                                       {"/proc/self/fd/0", "dev/stdin"},
                                       {"/proc/self/fd/1", "dev/stdout"},
                                       {"/proc/self/fd/2", "dev/stderr"},
                                       {"pts/ptmx", "dev/ptmx"}};

/* The native ABI alone, then a binary search over the numbers. Built by the compiler. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define EQ(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define GE(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, yes, no)
#define JUMP(distance) BPF_STMT(BPF_JMP | BPF_JA, distance)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
static struct sock_filter filter[] = {
    LOAD(arch),
    EQ(NATIVE, 1, 0),
    RETURN(SECCOMP_RET_ERRNO | ENOSYS),
    LOAD(nr),
    GE(0x40000000, 0, 1), /* x32 shares the arch, not the bit */
    RETURN(SECCOMP_RET_ERRNO | ENOSYS),
#include "filter.inc"
};

/* A fresh network namespace has its loopback down. netdevice(7) */
static void bring_lo_up(void) {
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int s = TRY(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  TRY(ioctl(s, SIOCSIFFLAGS, &lo));
  TRY(close(s));
}

/* proc and sysfs mount only while the host's own are still in sight, and belong to the pid and
 * network namespaces of the caller. user_namespaces(7) */
static void mount_kernel_filesystems(void) {
  const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  TRY(mount("proc", "proc", "proc", safe, NULL));
  TRY(mount("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL));
}

/* mknod(2) of a device needs the host's CAP_MKNOD, so the nodes are binds on empty files. */
static void make_dev(void) {
  TRY(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k"));
  for (size_t i = 0; i < COUNT(nodes); i++) {
    TRY(mknod(nodes[i][1], S_IFREG | 0666, 0));
    TRY(mount(nodes[i][0], nodes[i][1], NULL, MS_BIND, NULL));
  }
  STEP("dev: tmpfs and nodes");
  for (size_t i = 0; i < COUNT(links); i++) TRY(symlink(links[i][0], links[i][1]));
  TRY(mkdir("dev/pts", 0755));
  TRY(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620"));
  TRY(mkdir("dev/shm", 0755));
  TRY(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m"));
  TRY(mkdir("dev/mqueue", 0755));
  TRY(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

static void mount_if_present(const char* source, const char* target, unsigned long flags) {
  if (mount(source, target, NULL, flags, NULL) < 0 && errno != ENOENT) die(target);
}

/* One empty directory and one empty file cover everything. They live in a tmpfs on the old /sys,
 * which goes away with the old root; read-only as a superblock, so every bind of it is. */
static void mask(void) {
  const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  TRY(mount("mask", "/sys", "tmpfs", safe, "mode=555,size=12k"));
  TRY(mknod("/sys/file", S_IFREG | 0444, 0));
  TRY(mkdir("/sys/dir", 0555));
  TRY(mount(NULL, "/sys", NULL, MS_REMOUNT | MS_RDONLY | safe, NULL));
  for (size_t i = 0; i < COUNT(masked_files); i++)
    mount_if_present("/sys/file", masked_files[i], MS_BIND);
  for (size_t i = 0; i < COUNT(masked_dirs); i++)
    mount_if_present("/sys/dir", masked_dirs[i], MS_BIND);
  for (size_t i = 0; i < COUNT(read_only); i++) {
    mount_if_present(read_only[i], read_only[i], MS_BIND);
    mount_if_present(NULL, read_only[i], MS_REMOUNT | MS_BIND | MS_RDONLY | safe);
  }
}

/* The capabilities of the default profile stay, the other thirty-odd leave the bounding set. */
static void drop_privileges(void) {
  const unsigned keep = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER |
                        1u << CAP_FSETID | 1u << CAP_KILL | 1u << CAP_SETGID | 1u << CAP_SETUID;
  for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
    if (cap >= 32 || !(keep & 1u << cap)) TRY(prctl(PR_CAPBSET_DROP, cap));
  TRY(setgroups(0, NULL));
  TRY(setresgid(0, 0, 0));
  TRY(setresuid(0, 0, 0));
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{.effective = keep, .permitted = keep}};
  TRY(syscall(SYS_capset, &header, sets));
}

/* The layers of the overlay lie on the old /mnt, which goes away with the old root. */
static void attach_throw_away(int tree, const char* root) {
  TRY(mount("upper", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"));
  TRY(mkdir("/mnt/lower", 0755));
  TRY(mkdir("/mnt/upper", 0755));
  TRY(mkdir("/mnt/work", 0755));
  TRY(move_mount(tree, "", AT_FDCWD, "/mnt/lower", MOVE_MOUNT_F_EMPTY_PATH));
  TRY(mount("overlay", root, "overlay", 0,
            "lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work,userxattr"));
  TRY(chdir(root));
}

static void attach(int tree, const char* root) {
  TRY(move_mount(tree, "", AT_FDCWD, root, MOVE_MOUNT_F_EMPTY_PATH));
  TRY(fchdir(tree));
}

static void enter_jail(int go[2], int tree, int throw_away, const char* root, char** argv) {
  STEP_CHILD();
  STEP("clone3 until the child runs");
  char byte;
  TRY(close(go[0])); /* so that the parent's end is the only one, and its death an EOF */
  TRY(unshare(CLONE_NEWCGROUP)); /* here, where the cgroup of clone3 becomes the root of the view */
  TRY(sethostname("floor", 5));
  STEP("cgroup namespace, hostname");
  bring_lo_up();
  STEP("lo up");
  TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  STEP("private propagation");
  if (recv(go[1], &byte, 1, 0) != 1) _exit(125);
  STEP("wait for the parent's go");
  TRY(setresgid(0, 0, 0)); /* files can be made only by an id that is mapped */
  TRY(setresuid(0, 0, 0));
  (throw_away ? attach_throw_away : attach)(tree, root);
  STEP("root attached");
  mount_kernel_filesystems();
  STEP("proc, sysfs");
  make_dev();
  STEP("dev: links, devpts, shm, mqueue");
  mask();
  STEP("masks");
  TRY(syscall(SYS_pivot_root, ".", ".")); /* stacks the old root on the new: pivot_root(2) */
  TRY(umount2(".", MNT_DETACH));
  TRY(chdir("/"));
  STEP("pivot_root, old root detached");
  drop_privileges();
  TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  STEP("capabilities, ids");
  TRY(close_range(3, ~0u, 0));
  struct sock_fprog program = {.len = COUNT(filter), .filter = filter};
  TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  STEP("seccomp filter");
  TRY(execve(argv[0], argv, (char*[]){"PATH=/usr/bin:/bin", NULL}));
}

static int open_proc(pid_t pid, const char* name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return TRY(open(path, flags | O_CLOEXEC));
}

/* Only a parent with privilege outside may map more than one id. user_namespaces(7) */
static void write_map(pid_t pid, const char* name) {
  static const char map[] = "0 524288 65536";
  int fd = open_proc(pid, name, O_WRONLY);
  TRY(write(fd, map, sizeof map - 1));
  TRY(close(fd));
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--print-filter") == 0)
    return write(1, filter, sizeof filter) != sizeof filter;
  const int throw_away = argc > 1 && strcmp(argv[1], "--throw-away") == 0;
  argc -= throw_away;
  argv += throw_away;
  if (argc < 3 || !getenv("FLOOR_CGROUP")) {
    dprintf(2, "usage: FLOOR_CGROUP=/sys/fs/cgroup floor [--throw-away] ROOTDIR CMD [ARG...]\n");
    return 125;
  }
  char dir[256];
  snprintf(dir, sizeof dir, "%s/jaula-bench/%d", getenv("FLOOR_CGROUP"), getpid());
  STEP_START();
  TRY(mkdir(dir, 0755));
  int cgroup = TRY(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
  int go[2], pidfd;
  TRY(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, go));
  /* The child inherits this descriptor, and sees the id map the parent puts on it before "go". */
  int tree = TRY(open_tree(AT_FDCWD, argv[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  STEP("cgroup, socketpair, open_tree");

  struct clone_args args = {.flags = CLONE_INTO_CGROUP | CLONE_PIDFD | CLONE_NEWUSER |
                                     CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                                     CLONE_NEWUTS,
                            .exit_signal = SIGCHLD,
                            .cgroup = (__u64)cgroup,
                            .pidfd = (__u64)(uintptr_t)&pidfd};
  pid_t pid = TRY(syscall(SYS_clone3, &args, sizeof args));
  if (pid == 0) enter_jail(go, tree, throw_away, argv[1], argv + 2);
  STEP("clone3 in the parent");

  write_map(pid, "uid_map");
  write_map(pid, "gid_map");
  int userns = open_proc(pid, "ns/user", O_RDONLY);
  STEP("id maps");
  struct mount_attr attr = {
      .attr_set = MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE, .userns_fd = (__u64)userns};
  TRY(mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr));
  TRY(send(go[0], "", 1, MSG_NOSIGNAL));
  STEP("idmapped root, go");

  siginfo_t end;
  TRY(waitid(P_PIDFD, (id_t)pidfd, &end, WEXITED));
  STEP("waitid");
  TRY(rmdir(dir));
  STEP("rmdir of the cgroup");
  STEP_PRINT();
  return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

// The payload of the attacks: static, and each verb tries one thing that a jail must not be able to
// do. It prints "ok", or the name of the errno, and never does more than the try: what it opens it
// does not write, what it makes goes with its process.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* outcome(long result) { return result >= 0 ? "ok" : strerrorname_np(errno); }

static int report(long result) {
  puts(outcome(result));
  return 0;
}

// --- system calls -------------------------------------------------------------------------------

// Capabilities over new namespaces, as exploits of the kernel get them. What follows tells whether
// it was to be had.
static void take_namespaces(int others) { unshare(CLONE_NEWUSER | others); }

static long new_user_namespace_by_clone(void) {
  const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0L);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return pid;
}

static long clone3_user_namespace(void) {
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return pid;
}

static long mount_overlay(void) {
  take_namespaces(CLONE_NEWNS);
  mkdir("/tmp/lower", 0777), mkdir("/tmp/upper", 0777), mkdir("/tmp/work", 0777),
      mkdir("/tmp/m", 0777);
  return mount("overlay", "/tmp/m", "overlay", 0,
               "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work");
}

static long mount_cgroup(void) {
  take_namespaces(CLONE_NEWNS | CLONE_NEWCGROUP);
  mkdir("/tmp/m", 0777);
  return mount("cgroup2", "/tmp/m", "cgroup2", 0, NULL);
}

static long mount_tmpfs(void) {
  take_namespaces(CLONE_NEWNS);
  mkdir("/tmp/m", 0777);
  return mount("tmpfs", "/tmp/m", "tmpfs", 0, NULL);
}

static long open_file_system(void) {
  take_namespaces(CLONE_NEWNS);
  return syscall(SYS_fsopen, "tmpfs", 0);
}

static long netfilter_socket(void) {
  take_namespaces(CLONE_NEWNET);
  return socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static long packet_socket(void) {
  take_namespaces(CLONE_NEWNET);
  return socket(AF_PACKET, SOCK_RAW, 0);
}

static long raw_socket(void) {
  take_namespaces(CLONE_NEWNET);
  return socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
}

// i386's getpid by the old gate: a filter of x86-64 numbers alone would take 20 for writev.
static long call_of_i386(void) {
  long result = 20;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = (int)-result;
  return -1;
}

static long userfault(void) { return syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY); }

// A size that the kernel refuses as E2BIG before it asks for a capability.
static long load_bpf(void) {
  static char attributes[8192];
  memset(attributes, 1, sizeof attributes);
  return syscall(SYS_bpf, 5, attributes, sizeof attributes);
}

static long handle_of_root(void) {
  struct {
    struct file_handle handle;
    char bytes[128];
  } to = {.handle = {.handle_bytes = sizeof to.bytes}};
  int mount;
  return name_to_handle_at(AT_FDCWD, "/", &to.handle, &mount, 0);
}

static long read_own_memory(void) {
  char here = 1, there = 0;
  const struct iovec local = {&there, 1}, remote = {&here, 1};
  return syscall(SYS_process_vm_readv, getpid(), &local, 1L, &remote, 1L, 0L);
}

static long resident_pages(void) {
  void* page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char resident;
  return mincore(page, 4096, &resident);
}

static long terminal_call(unsigned long request) {
  static char key = 'x';
  // The C library would cut the request to 32 bits, as the kernel does.
  return syscall(SYS_ioctl, 0, request, &key);
}

static const struct {
  const char* name;
  long (*call)(void);
} kCalls[] = {
    {"clone", new_user_namespace_by_clone},
    {"clone3", clone3_user_namespace},
    {"overlay", mount_overlay},
    {"cgroup", mount_cgroup},
    {"tmpfs", mount_tmpfs},
    {"fsopen", open_file_system},
    {"netfilter", netfilter_socket},
    {"packet", packet_socket},
    {"raw", raw_socket},
    {"i386", call_of_i386},
    {"userfaultfd", userfault},
    {"bpf", load_bpf},
    {"handle", handle_of_root},
    {"vm-read", read_own_memory},
    {"mincore", resident_pages},
};

static int call(const char* name) {
  for (size_t i = 0; i < sizeof kCalls / sizeof *kCalls; ++i)
    if (strcmp(name, kCalls[i].name) == 0) return report(kCalls[i].call());
  if (!strcmp(name, "unshare")) return report(unshare(CLONE_NEWUSER));
  if (!strcmp(name, "io_uring")) return report(syscall(SYS_io_uring_setup, 1, NULL));
  if (!strcmp(name, "keyctl"))
    return report(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "attack"));
  if (!strcmp(name, "ptrace")) return report(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
  if (!strcmp(name, "perf")) return report(syscall(SYS_perf_event_open, NULL, 0, -1, -1, ~0UL));
  if (!strcmp(name, "modify_ldt")) return report(syscall(SYS_modify_ldt, 0, NULL, 0));
  if (!strcmp(name, "vmsplice")) return report(vmsplice(-1, NULL, 0, 0));
  if (!strcmp(name, "personality")) return report(syscall(SYS_personality, 0x0100000));
  if (!strcmp(name, "TIOCSTI")) return report(terminal_call(TIOCSTI));
  if (!strcmp(name, "TIOCSTI-high")) return report(terminal_call(TIOCSTI | 1UL << 32));
  if (!strcmp(name, "TIOCLINUX")) return report(terminal_call(TIOCLINUX));
  if (!strcmp(name, "TIOCSETD")) return report(terminal_call(TIOCSETD));
  return 99;
}

// --- files --------------------------------------------------------------------------------------

// A file of procfs or sysfs with what is a number on this host alone taken out.
static void print_place(const char* path) {
  char own[32];
  snprintf(own, sizeof own, "/proc/%d/", getpid());
  if (strncmp(path, own, strlen(own)) == 0)
    printf("/proc/self/%s\n", path + strlen(own));
  else
    puts(path);
}

static void find_writable(const char* directory) {
  DIR* opened = opendir(directory);
  if (opened == NULL) return;
  for (struct dirent* entry; (entry = readdir(opened)) != NULL;) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    struct stat info;
    if (lstat(path, &info) < 0) continue;
    // The threads of a process repeat its own files.
    if (S_ISDIR(info.st_mode) && strcmp(entry->d_name, "task") != 0) find_writable(path);
    // Without a bit for writing there is nothing in the kernel that would take it; root opens it
    // all the same.
    if (!S_ISREG(info.st_mode) || (info.st_mode & 0222) == 0) continue;
    const int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) continue;
    close(fd);
    print_place(path);
  }
  closedir(opened);
}

// What of another process can be looked at, each a way to the host when it is one of jaula's.
static int spy(const char* pid) {
  static const char* const kFiles[] = {"mem", "environ", "maps", "auxv"};
  static const char* const kLinks[] = {"exe", "cwd", "root", "fd/0", "fd/1", "fd/2", "fd/3"};
  char path[64], text[256];
  for (size_t i = 0; i < sizeof kFiles / sizeof *kFiles; ++i) {
    snprintf(path, sizeof path, "/proc/%s/%s", pid, kFiles[i]);
    const int fd = open(path, O_RDONLY);
    if (fd >= 0) printf("opened %s\n", kFiles[i]);
    if (fd >= 0) close(fd);
  }
  for (size_t i = 0; i < sizeof kLinks / sizeof *kLinks; ++i) {
    snprintf(path, sizeof path, "/proc/%s/%s", pid, kLinks[i]);
    if (readlink(path, text, sizeof text) >= 0) printf("opened %s\n", kLinks[i]);
  }
  if (ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) == 0) {
    puts("opened ptrace");
    ptrace(PTRACE_DETACH, atoi(pid), NULL, NULL);
  }
  puts("done");
  return 0;
}

// Says "ready", then does what each line of its standard input names, until the end.
// Takes off what covers a path, in a new mount namespace or in this one.
static int uncover(const char* path, const char* where) {
  if (strcmp(where, "here") != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return report(-1);
  return report(umount2(path, MNT_DETACH));
}

static int serve(void) {
  char line[256];
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "spy ", 4) == 0) spy(line + 4);
    fflush(stdout);
  }
  return 0;
}

static int numbers(void) {
  DIR* proc = opendir("/proc");
  for (struct dirent* entry; (entry = readdir(proc)) != NULL;)
    if (atoi(entry->d_name) > 0) puts(entry->d_name);
  closedir(proc);
  return 0;
}

static int abstract(const char* name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t size = strlen(name);
  memcpy(address.sun_path + 1, name, size);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return report(connect(fd, (const struct sockaddr*)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)));
}

// Descriptor 9 is what the loader of a hostile root got hold of, a copy that the test made: may it
// be written, and opened to all?
static int overwrite(void) {
  struct stat info;
  if (fstat(9, &info) < 0) return report(-1);
  // Who may mount makes what it holds writable first, where the kernel lets it.
  struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};
  if (syscall(SYS_mount_setattr, 9, "", AT_EMPTY_PATH, &writable, sizeof writable) == 0)
    puts("remount ok");
  if (mount("none", "/proc/self/fd/9", NULL, MS_REMOUNT | MS_BIND, NULL) == 0) puts("remount ok");
  const int fd = open("/proc/self/fd/9", O_WRONLY);
  printf("write %s\n", outcome(fd));
  printf("chmod %s\n", outcome(fchmod(9, (info.st_mode & 07777) | 0022)));
  return 0;
}

int main(int argc, char** argv) {
  const char* verb = argc > 1 ? argv[1] : "";
  const char* a = argc > 2 ? argv[2] : "";
  if (!strcmp(verb, "call")) return call(a);
  if (!strcmp(verb, "socket"))
    return report(socket(atoi(a), atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 0));
  if (!strcmp(verb, "writable")) return find_writable("/proc"), find_writable("/sys"), 0;
  if (!strcmp(verb, "open-for-writing")) return report(open(a, O_WRONLY | O_NONBLOCK));
  if (!strcmp(verb, "uncover")) return uncover(a, argc > 3 ? argv[3] : "");
  if (!strcmp(verb, "spy")) return spy(a);
  if (!strcmp(verb, "serve")) return serve();
  if (!strcmp(verb, "processes")) return numbers();
  if (!strcmp(verb, "abstract")) return abstract(a);
  if (!strcmp(verb, "overwrite")) return overwrite();
  fprintf(stderr, "attacker: unknown verb %s\n", verb);
  return 99;
}

// The one program of most test roots: static, and each verb asks the kernel one thing. What it
// prints is the evidence; its exit code is the errno of a refused call where that is the question.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int report(int result) {
  if (result >= 0) return puts("ok"), 0;
  const int code = errno;
  printf("%s\n", strerrorname_np(code));
  return code;
}

static int cat(const char* path) {
  char buffer[65536];
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return report(-1);
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
    if (write(1, buffer, (size_t)got) != got) return 1;
  return 0;
}

static int list(const char* path) {
  DIR* directory = opendir(path);
  if (directory == NULL) return report(-1);
  for (struct dirent* entry; (entry = readdir(directory)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) puts(entry->d_name);
  closedir(directory);
  return 0;
}

static int link_of(const char* path) {
  char text[4096];
  const ssize_t size = readlink(path, text, sizeof text - 1);
  if (size < 0) return report(-1);
  printf("%.*s\n", (int)size, text);
  return 0;
}

// Type and mode, owner, group, size.
static int status_of(const char* path) {
  struct stat info;
  if (lstat(path, &info) < 0) return report(-1);
  printf("%o %u %u %ld\n", info.st_mode, info.st_uid, info.st_gid, (long)info.st_size);
  return 0;
}

static int put(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return report(-1);
  return report((int)write(fd, text, strlen(text)));
}

static int open_for(const char* path, const char* how) {
  const int flags = !strcmp(how, "rw") ? O_RDWR : !strcmp(how, "w") ? O_WRONLY : O_RDONLY;
  return report(open(path, flags | O_NONBLOCK));
}

static int make_device(const char* path, const char* numbers) {
  unsigned high = 0, low = 0;
  sscanf(numbers, "%u:%u", &high, &low);
  return report(mknod(path, S_IFCHR | 0666, makedev(high, low)));
}

static int machine(void) {
  struct utsname name;
  if (uname(&name) < 0) return report(-1);
  return puts(name.machine), 0;
}

static const char* outcome(int result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

// Listens on a port of 127.0.0.1 and connects to it.
static int tcp(const char* port, const char* protocol) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  const struct sockaddr* name = (const struct sockaddr*)&address;
  const int listener = socket(AF_INET, SOCK_STREAM, atoi(protocol));
  const int client = socket(AF_INET, SOCK_STREAM, atoi(protocol));
  if (listener < 0 || client < 0) return report(-1);
  printf("bind=%s ", outcome(bind(listener, name, sizeof address)));
  listen(listener, 1);
  printf("connect=%s\n", outcome(connect(client, name, sizeof address)));
  return 0;
}

// Connects with what it sends, to a port that it listens on.
static int fast_open(const char* port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  const struct sockaddr* name = (const struct sockaddr*)&address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, name, sizeof address) < 0 || listen(listener, 1) < 0) return report(-1);
  return report((int)sendto(client, "x", 1, MSG_FASTOPEN, name, sizeof address));
}

static int connect_abstract(const char* text) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, text, sizeof address.sun_path - 2);
  const size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  return report(connect(client, (const struct sockaddr*)&address, (socklen_t)size));
}

static int ids(void) {
  gid_t groups[64];
  const int count = getgroups(64, groups);
  printf("uid=%u gid=%u groups=", getuid(), getgid());
  for (int i = 0; i < count; ++i) printf("%s%u", i == 0 ? "" : ",", groups[i]);
  char cwd[4096];
  printf(" cwd=%s pid=%d sid=%d\n", getcwd(cwd, sizeof cwd), getpid(), getsid(0));
  return 0;
}

// Open descriptors other than the one that looks.
static int fds(void) {
  for (int fd = 0; fd < 1024; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) printf("%d\n", fd);
  return 0;
}

static int hog(const char* megabytes) {
  const size_t size = (size_t)atol(megabytes) << 20;
  char* memory = malloc(size);
  if (memory == NULL) return report(-1);
  for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
  printf("touched %zu\n", size);
  return 0;
}

// As many children as it gets, then the errno of the one it did not.
static int fork_until_refused(const char* most) {
  int made = 0;
  for (; made < atoi(most); ++made) {
    const pid_t pid = fork();
    if (pid == 0) pause();
    if (pid < 0) break;
  }
  const int code = errno;
  printf("%d %s\n", made, made < atoi(most) ? strerrorname_np(code) : "all");
  fflush(stdout);
  kill(0, SIGTERM);
  return 0;
}

static int spin(const char* milliseconds) {
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const long limit = atol(milliseconds);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < limit);
  return 0;
}

// Holds on to a port of 127.0.0.1 until TERM.
static int await_signals(const char* last);
static int listen_tcp(const char* port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) < 0) return report(-1);
  if (listen(listener, 1) < 0) return report(-1);
  return await_signals("TERM");
}

static int connect_tcp(const char* port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  return report(
      connect(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr*)&address, sizeof address));
}

// Seconds of a clock, by its number.
static int clock_seconds(const char* number) {
  struct timespec now;
  if (clock_gettime(atoi(number), &now) < 0) return report(-1);
  printf("%lld\n", (long long)now.tv_sec);
  return 0;
}

static volatile sig_atomic_t caught;
static void catch_signal(int signal) { caught = signal; }

// Says "ready", then prints each signal that arrives; ends after `last`.
/* What 0, 1 and 2 are, and what is in them if they are directories, written to a file. */
static int fd_targets(const char* path) {
  FILE* out = fopen(path, "w");
  if (!out) return 1;
  for (int fd = 0; fd < 3; ++fd) {
    char link[32], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, target, sizeof target);
    fprintf(out, "%d %.*s\n", fd, size < 0 ? 0 : (int)size, target);
  }
  return fclose(out) == 0 ? 0 : 1;
}

static int await_signals(const char* last) {
  struct sigaction action = {.sa_handler = catch_signal};
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  for (int signal = 1; signal < 32; ++signal) sigaction(signal, &action, NULL);
  puts("ready");
  fflush(stdout);
  sigset_t none;
  sigemptyset(&none);
  for (;;) {
    sigsuspend(&none);
    if (caught == SIGWINCH) {
      struct winsize size;
      ioctl(0, TIOCGWINSZ, &size);
      printf("WINCH %dx%d\n", size.ws_row, size.ws_col);
    } else {
      printf("%s\n", sigabbrev_np(caught));
    }
    fflush(stdout);
    if (strcmp(sigabbrev_np(caught), last) == 0) return 0;
  }
}

__attribute__((noreturn)) static void ignore_and_wait(void) {
  signal(SIGTERM, SIG_IGN);
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}

__attribute__((noreturn)) static void orphan(void) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      puts("ready");
      fflush(stdout);
      for (;;) pause();
    }
    _exit(0);
  }
  for (;;) pause();
}

static int lines(const char* count) {
  for (long i = 0; i < atol(count); ++i) {
    printf("line %ld on stdout\n", i);
    fprintf(stderr, "line %ld on stderr\n", i);
  }
  return 0;
}

static int limit(const char* number) {
  struct rlimit value;
  if (getrlimit((__rlimit_resource_t)atoi(number), &value) < 0) return report(-1);
  printf("%lld %lld\n", (long long)value.rlim_cur, (long long)value.rlim_max);
  return 0;
}

static int tty(void) {
  struct winsize size = {0};
  const int terminal = isatty(0) && isatty(1) && isatty(2);
  ioctl(0, TIOCGWINSZ, &size);
  char name[64] = "none";
  if (terminal) ttyname_r(0, name, sizeof name);
  const int control = open("/dev/tty", O_RDWR);
  printf("tty=%d name=%s size=%dx%d controlling=%d\n", terminal, name, size.ws_row, size.ws_col,
         control >= 0);
  return 0;
}

// Lets go of its terminal, and on USR1 writes to it by its name.
static int reopen_tty(void) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGUSR1);
  sigprocmask(SIG_BLOCK, &awaited, NULL);
  puts("ready");
  fflush(stdout);
  for (int fd = 0; fd < 3; ++fd) close(fd);
  int signal;
  sigwait(&awaited, &signal);
  const int terminal = open("/dev/pts/0", O_WRONLY);
  return terminal < 0 || write(terminal, "late\n", 5) != 5;
}

// Asks COUNT times for what no jail of the default profile may; how often it was refused.
static int deny(const char* count, const char* then) {
  int refused = 0;
  for (int i = 0; i < atoi(count); ++i)
    refused += syscall(SYS_keyctl, 1, 2, -3L, 4, 5) < 0 && errno == EPERM;
  printf("refused %d\n", refused);
  fflush(stdout);
  return *then ? await_signals(then) : 0;
}

// Outlives its monitor, and on USR1 writes to FILE what a denied call gives.
static int deny_later(const char* file) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGUSR1);
  sigprocmask(SIG_BLOCK, &awaited, NULL);
  prctl(PR_SET_PDEATHSIG, 0);
  puts("ready");
  fflush(stdout);
  int signal;
  sigwait(&awaited, &signal);
  const char* name = syscall(SYS_keyctl, 1, 2, -3L, 4, 5) < 0 ? strerrorname_np(errno) : "ok";
  const int out = open(file, O_WRONLY | O_CREAT, 0644);
  return write(out, name, strlen(name)) < 0;
}

int main(int argc, char** argv) {
  const char* verb = argc > 1 ? argv[1] : "";
  const char* a = argc > 2 ? argv[2] : "";
  const char* b = argc > 3 ? argv[3] : "";
  if (!strcmp(verb, "true")) return 0;
  if (!strcmp(verb, "exit")) return atoi(a);
  if (!strcmp(verb, "kill-self")) return kill(getpid(), atoi(a)), pause(), 1;
  if (!strcmp(verb, "cat")) return cat(a);
  if (!strcmp(verb, "list")) return list(a);
  if (!strcmp(verb, "link")) return link_of(a);
  if (!strcmp(verb, "put")) return put(a, b);
  if (!strcmp(verb, "open")) return open_for(a, b);
  if (!strcmp(verb, "mknod")) return make_device(a, b);
  if (!strcmp(verb, "machine")) return machine();
  if (!strcmp(verb, "stat")) return status_of(a);
  if (!strcmp(verb, "mkdir")) return report(mkdir(a, 0755));
  if (!strcmp(verb, "truncate")) return report(truncate(a, 0));
  if (!strcmp(verb, "rename")) return report(rename(a, b));
  if (!strcmp(verb, "execute")) return report(execl(a, a, "echo", b, NULL));
  if (!strcmp(verb, "signal")) return report(kill(atoi(a), atoi(b)));
  if (!strcmp(verb, "tcp")) return tcp(a, b);
  if (!strcmp(verb, "listen-tcp")) return listen_tcp(a);
  if (!strcmp(verb, "connect-tcp")) return connect_tcp(a);
  if (!strcmp(verb, "clock")) return clock_seconds(a);
  if (!strcmp(verb, "shm"))
    return report(shmget((key_t)atol(a), 4096, atoi(b) ? IPC_CREAT | 0666 : 0));
  if (!strcmp(verb, "fast-open")) return fast_open(a);
  if (!strcmp(verb, "connect-abstract")) return connect_abstract(a);
  if (!strcmp(verb, "ids")) return ids();
  if (!strcmp(verb, "fds")) return fds();
  if (!strcmp(verb, "fd-targets")) return fd_targets(a);
  if (!strcmp(verb, "hog")) return hog(a);
  if (!strcmp(verb, "forks")) return fork_until_refused(a);
  if (!strcmp(verb, "spin")) return spin(a);
  if (!strcmp(verb, "await")) return await_signals(a);
  if (!strcmp(verb, "ignore-term")) ignore_and_wait();
  if (!strcmp(verb, "orphan")) orphan();
  if (!strcmp(verb, "lines")) return lines(a);
  if (!strcmp(verb, "limit")) return limit(a);
  if (!strcmp(verb, "tty")) return tty();
  if (!strcmp(verb, "reopen-tty")) return reopen_tty();
  if (!strcmp(verb, "deny")) return deny(a, b);
  if (!strcmp(verb, "deny-later")) return deny_later(a);
  if (!strcmp(verb, "mount")) return report(mount("none", "/tmp", "tmpfs", 0, NULL));
  if (!strcmp(verb, "unshare-user")) return report(unshare(CLONE_NEWUSER));
  if (!strcmp(verb, "unshare")) return report(unshare(atoi(a)));
  if (!strcmp(verb, "socket")) return report(socket(atoi(a), SOCK_DGRAM, 0));
  if (!strcmp(verb, "echo")) return puts(a), 0;
  if (!strcmp(verb, "echo-env")) return puts(getenv(a) ? getenv(a) : "(unset)"), 0;
  if (!strcmp(verb, "echo-stdin")) {
    char byte;
    while (read(0, &byte, 1) == 1) putchar(byte);
    return 0;
  }
  fprintf(stderr, "probe: unknown verb %s\n", verb);
  return 99;
}

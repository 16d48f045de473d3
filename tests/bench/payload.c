// A payload that does nothing but system calls: what a jail costs such a program is its filter.
// `payload CALL ROUNDS [filtered]` prints the processor time of one round, in seconds. `filtered`:
// under a filter of one instruction, which allows everything: what the kernel takes for having one
// at all.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// One mount deep on the host and in a jail; a device of a jail is two.
static const char kOpened[] = "/dev";
static int zero;

static int call_getppid(void) { return getppid() < 0; }

static int call_read(void) {
  char byte;
  return read(zero, &byte, 1) != 1;
}

static int call_openat(void) {
  const int fd = openat(AT_FDCWD, kOpened, O_RDONLY | O_CLOEXEC);
  return fd < 0 || close(fd) < 0;
}

static const struct {
  const char* name;
  int (*call)(void);
} calls[] = {{"getppid", call_getppid}, {"read", call_read}, {"openat+close", call_openat}};

static int filter_nothing(void) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const struct sock_fprog program = {1, &allow};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) <
             0;
}

static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) return 2;
  int (*call)(void) = NULL;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i)
    if (strcmp(calls[i].name, argv[1]) == 0) call = calls[i].call;
  zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  if (call == NULL || zero < 0) return 2;
  if (argc == 4 && filter_nothing()) return 2;
  const long rounds = atol(argv[2]);
  const double start = processor_time();
  for (long i = 0; i < rounds; ++i)
    if (call() != 0) return 1;
  printf("%.4e\n", (processor_time() - start) / (double)rounds);
  return 0;
}

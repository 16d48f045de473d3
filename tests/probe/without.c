// Runs a command as on a kernel that lacks a few calls: `without CALL[,CALL...] -- COMMAND
// [WORD...]`. They are answered ENOSYS, by a filter that is inherited: a jail has it besides its
// own. seccomp(2)
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct call {
  const char* name;
  int number;
} calls[] = {
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"fsopen", SYS_fsopen},
    {"landlock_create_ruleset", SYS_landlock_create_ruleset},
    {"memfd_create", SYS_memfd_create},
    {"mount_setattr", SYS_mount_setattr},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"openat2", SYS_openat2},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"seccomp", SYS_seccomp},
    {"setns", SYS_setns},
};
enum { kCalls = sizeof calls / sizeof *calls };

static struct sock_filter program[2 * kCalls + 5];
static unsigned short length;

static void add(unsigned short code, unsigned value, unsigned char yes, unsigned char no) {
  program[length++] = (struct sock_filter){code, yes, no, value};
}

static void refuse(int call) {
  add(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1);
  add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

static int number_of(const char* name) {
  for (int i = 0; i < kCalls; ++i)
    if (strcmp(calls[i].name, name) == 0) return calls[i].number;
  fprintf(stderr, "without: no such call in its table: %s\n", name);
  exit(2);
}

int main(int argc, char** argv) {
  if (argc < 4 || strcmp(argv[2], "--") != 0) {
    fprintf(stderr, "usage: without CALL[,CALL...] -- COMMAND [WORD...]\n");
    return 2;
  }
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  for (const char* name = strtok(argv[1], ","); name != NULL; name = strtok(NULL, ","))
    refuse(number_of(name));
  add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  const struct sock_fprog filter = {length, program};
  // A user may not install one without giving up what set-user-ID programs would give; root may.
  if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return 2;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) {
    perror("without: seccomp");
    return 2;
  }
  execvp(argv[3], argv + 3);
  perror(argv[3]);
  return 127;
}

/* trace: which instructions of a program are executed, and by whom, in the order in which they
 * first are.
 *
 *   trace PROGRAM [ARG...]
 *
 * Single-steps the program and all its children with ptrace(2). Prints each address as 16 digits
 * relative to where the program is loaded, once with "own" for the program and once with "child"
 * for what it forked, for tests/bench/order. What other programs execute is passed over. As root:
 * its children enter user namespaces.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 64, PROGRAM_SIZE = 1 << 24 };

static char program[PATH_MAX];
static struct process {
  pid_t pid;
  unsigned long base; /* 0: it executes something else */
  int forked;         /* and has not executed anything since */
} processes[PROCESSES];
static unsigned char seen[2][PROGRAM_SIZE]; /* by the program, by what it forked */

static unsigned long base_of(pid_t pid) {
  char name[64], line[PATH_MAX + 128];
  unsigned long base = 0;
  snprintf(name, sizeof name, "/proc/%d/maps", pid);
  FILE* maps = fopen(name, "r");
  while (maps && !base && fgets(line, sizeof line, maps))
    if (strstr(line, program)) base = strtoul(line, NULL, 16);
  if (maps) fclose(maps);
  return base;
}

static struct process* find(pid_t pid) {
  for (struct process* p = processes; p < processes + PROCESSES; p++) {
    if (p->pid == pid) return p;
    if (p->pid) continue;
    *p = (struct process){pid, base_of(pid), p != processes};
    return p;
  }
  fprintf(stderr, "trace: more than %d processes\n", PROCESSES);
  exit(1);
}

static void note(const struct process* p) {
  struct user_regs_struct registers;
  if (!p->base || ptrace(PTRACE_GETREGS, p->pid, 0, &registers) < 0) return;
  const unsigned long at = registers.rip - p->base;
  if (at >= PROGRAM_SIZE || seen[p->forked][at]) return;
  seen[p->forked][at] = 1;
  printf("%016lx %s\n", at, p->forked ? "child" : "own");
}

int main(int argc, char** argv) {
  if (argc < 2 || !realpath(argv[1], program)) {
    fprintf(stderr, "usage: trace PROGRAM [ARG...]\n");
    return 1;
  }
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    dup2(2, 1);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(program, argv + 1);
    _exit(127);
  }
  int status;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0,
         PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
             PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, 0, 0);
  pid_t pid;
  while ((pid = waitpid(-1, &status, __WALL)) > 0) {
    if (!WIFSTOPPED(status)) continue;
    struct process* p = find(pid);
    const int signal = WSTOPSIG(status);
    if (status >> 16 == PTRACE_EVENT_EXEC) *p = (struct process){pid, base_of(pid), 0};
    if (signal == SIGTRAP) note(p);
    ptrace(PTRACE_SINGLESTEP, pid, 0, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);
  }
  return 0;
}

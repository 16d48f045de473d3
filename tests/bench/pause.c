/* static_pause: the payload of a jail that `jaula exec` and nsenter enter. It waits for ever. */
#if defined(__x86_64__)
void _start(void) {
  long result;
  for (;;) /* pause() */
    __asm__ volatile("syscall" : "=a"(result) : "a"(34) : "rcx", "r11", "memory");
}
#elif defined(__aarch64__)
void _start(void) {
  for (;;) { /* ppoll(NULL, 0, NULL, NULL, 0): there is no pause here */
    register long nr __asm__("x8") = 73, fds __asm__("x0") = 0, count __asm__("x1") = 0,
                     timeout __asm__("x2") = 0, mask __asm__("x3") = 0, size __asm__("x4") = 0;
    __asm__ volatile("svc 0"
                     : "+r"(fds)
                     : "r"(nr), "r"(count), "r"(timeout), "r"(mask), "r"(size)
                     : "memory");
  }
}
#else
#error write _start for this architecture
#endif

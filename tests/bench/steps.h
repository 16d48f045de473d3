/* steps.h: where the time of floor goes. With -DFLOOR_STEPS parent and child note the length of
 * each step on one shared page, and the parent prints them in microseconds; without it nothing of
 * this is compiled. Microseconds of one run mean little: take the median of a hundred. */
#pragma once
#ifndef FLOOR_STEPS
#define STEP_START()
#define STEP_CHILD()
#define STEP(name)
#define STEP_PRINT()
#else
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

struct step {
  const char* name;
  double length;
};
static struct step* steps; /* shared: 0..19 the parent's, 20..39 the child's */
static int step_count;     /* per process; the child starts with a copy at the clone */
static double step_last;   /* the same: so its first step begins where the parent cloned */

static void step_end(const char* name) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double at = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
  steps[step_count++] = (struct step){name, at - step_last};
  step_last = at;
}
#define STEP_START()                                                    \
  (steps = mmap(NULL, sizeof(struct step) * 40, PROT_READ | PROT_WRITE, \
                MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),      \
   step_end(NULL))
#define STEP_CHILD() (step_count = 20)
#define STEP(name) step_end(name)
static void step_print(void) {
  for (int i = 1; i < 40; i++)
    if (steps[i].name)
      dprintf(2, "%s\t%s\t%.1f\n", i < 20 ? "parent" : "child", steps[i].name, steps[i].length);
}
#define STEP_PRINT() step_print()
#endif

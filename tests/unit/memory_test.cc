// What a process gives back, as the kernel counts it.
#include "runtime/base/memory.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace jaula::test {
namespace {

// Kilobytes of the heap of a process that are in memory.
long heap_in_memory(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/smaps");
  bool heap = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) heap = line.ends_with("[heap]");
    if (heap && line.starts_with("Rss:")) return std::stol(line.substr(4));
  }
  return -1;
}

}  // namespace

TEST_CASE("memory: what is given back is no longer in memory, and the process goes on") {
  // Small pieces: they come from the heap, not from mmap.
  std::vector<std::unique_ptr<char[]>> pieces;
  for (int i = 0; i < 1000; ++i) pieces.push_back(std::make_unique<char[]>(4096));
  if (heap_in_memory(::getpid()) < 2000) {  // under ASan the heap is elsewhere
    std::puts("SKIP: the heap of this build is no heap of the kernel's");
    return;
  }
  const pid_t child = ::fork();
  REQUIRE_GE(child, 0);
  if (child == 0) {
    ::raise(SIGSTOP);
    give_all_memory_back();
    ::raise(SIGSTOP);
    ::_exit(7);
  }
  int status = 0;
  REQUIRE_EQ(::waitpid(child, &status, WUNTRACED), child);
  CHECK_GT(heap_in_memory(child), 4000);
  REQUIRE_EQ(::kill(child, SIGCONT), 0);
  REQUIRE_EQ(::waitpid(child, &status, WUNTRACED), child);
  REQUIRE(WIFSTOPPED(status));
  CHECK_LE(heap_in_memory(child), 8);
  REQUIRE_EQ(::kill(child, SIGCONT), 0);
  REQUIRE_EQ(::waitpid(child, &status, 0), child);
  CHECK_EQ(WEXITSTATUS(status), 7);
}

}  // namespace jaula::test

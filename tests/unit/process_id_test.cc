// Processes that are known again, and those that are not.
#include "runtime/process_id.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

TEST_CASE("process id: a command with parentheses and blanks does not shift the fields") {
  std::string rest;
  for (int field = 4; field < 22; ++field) rest += " " + std::to_string(field);
  for (const char* command : {"sh", "a) R (b", ") ) )", "", "\n"}) {
    const std::string text = "7 (" + std::string(command) + ") S" + rest + " 123456 23 24\n";
    const std::optional<ProcessStat> stat = parse_process_stat(text);
    REQUIRE(stat);
    CHECK_EQ(stat->state, 'S');
    CHECK_EQ(stat->start_time, 123456);
  }
  for (const char* text : {"", "7", "7 (sh", "7 (sh) S", "7 (sh) S 1 2 3\n"})
    CHECK_FALSE(parse_process_stat(text));
  CHECK_FALSE(parse_process_stat("7 (sh) S" + rest + " -5 23\n"));
}

TEST_CASE("process id: a living process is found by its id and by no other start time") {
  ProcessId self = *process_id(::getpid());
  CHECK(*open_process(self));
  CHECK(is_alive(self));
  ++self.start_time;
  CHECK_FALSE(*open_process(self));
  CHECK_FALSE(is_alive(self));
  CHECK_FALSE(*open_process({}));
  CHECK_FALSE(*open_process({.pid = -1, .start_time = 0}));
}

TEST_CASE("process id: a process that has ended is gone, reaped or not") {
  Child child([] { return ::pause(); });
  const ProcessId id = *process_id(child.pid());
  CHECK(*open_process(id));
  child.kill();
  child.wait_for_end();
  CHECK_FALSE(*open_process(id));
  child.wait();
  CHECK_FALSE(*open_process(id));
  CHECK_FALSE(process_id(id.pid));
}

TEST_CASE("process id: what cannot be looked at is not taken for dead") {
  const ProcessId self = *process_id(::getpid());
  Child child([&] {
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto process = open_process(self);
    return !process && process.error().code() == EMFILE ? 0 : 1;
  });
  CHECK_EQ(child.wait(), 0);
}

TEST_CASE("process id: the boot id is a UUID") { CHECK_EQ(boot_id().size(), 36); }

}  // namespace
}  // namespace jaula::test

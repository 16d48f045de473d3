#include "runtime/base/timing.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace jaula::test {

TEST_CASE(
    "timing: notes of both sides of a fork are kept, as far as there is room, names cut off") {
  CHECK_EQ(timing::text(), "");
  timing::note("before it was begun");
  timing::begin();
  timing::note("made ", "here");
  const pid_t child = ::fork();
  if (child == 0) {
    timing::note_birth();
    timing::note("/", std::string(100, 'x').c_str());
    ::_exit(0);
  }
  REQUIRE_EQ(::waitpid(child, nullptr, 0), child);
  std::string text = timing::text();
  CHECK_NE(text.find(" parent  made here\n"), std::string::npos);
  CHECK_NE(text.find(" inside  clone\n"), std::string::npos);
  CHECK_NE(text.find(" inside  /" + std::string(45, 'x') + "\n"), std::string::npos);
  CHECK_EQ(text.find("before"), std::string::npos);
  for (int i = 0; i < 1000; ++i) timing::note("more");
  text = timing::text();
  CHECK_EQ(std::count(text.begin(), text.end(), '\n'), 256);  // with the head
}

}  // namespace jaula::test

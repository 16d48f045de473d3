// Programs as a test runs them: to their end, or while it looks at them.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/base/fd.h"

namespace jaula::test {

struct Ran {
  int code = -1;  // the exit code, 128+n for a signal
  std::string out, err;
};

struct RunSettings {
  std::string input = {};
  std::string directory = {};
  std::map<std::string, std::string> environment = {};  // added to ours
};

// A program that runs beside the test. Its output is read when it has ended, or line by line.
class Program {
 public:
  Program(const std::vector<std::string>& words, const RunSettings& settings);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();  // kills it

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  std::string line();  // the next line of its standard output; "" at the end
  [[nodiscard]] bool ended() const noexcept { return ended_; }  // of the output
  void signal(int number) const noexcept;
  Ran wait();

 private:
  pid_t pid_ = -1;
  Fd out_, err_;  // err_ is a file: what fits no pipe must not block the program
  std::string read_ahead_;
  bool ended_ = false;
};

Ran run(const std::vector<std::string>& words, const RunSettings& settings = {});

std::string jaula_binary();  // $JAULA_BINARY, or the one that was built with the tests
std::string probe_binary();

}  // namespace jaula::test

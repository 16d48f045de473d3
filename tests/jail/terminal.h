// A program on a terminal of its own, as a person has it.
#pragma once

#include "runtime/base/fd.h"
#include "tests/jail/jails.h"

namespace jaula::test {

class Terminal {
 public:
  explicit Terminal(const Words& words);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();
  void resize(unsigned short rows, unsigned short columns) const;
  bool shows(const std::string& text);  // reads until the text has come, or the terminal ends
  void type(const std::string& keys) const;
  int wait();
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  Fd master_;
  pid_t pid_ = -1;
  std::string seen_;
};

}  // namespace jaula::test

#include "tests/jail/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jaula::test {

Terminal::Terminal(const Words& words) : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  REQUIRE(master_);
  ::grantpt(master_.get());
  ::unlockpt(master_.get());
  resize(40, 100);
  const std::string slave = ::ptsname(master_.get());
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::alarm(120);
  ::setsid();
  const int fd = ::open(slave.c_str(), O_RDWR);  // becomes the controlling terminal
  for (const int number : {0, 1, 2}) ::dup2(fd, number);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(97);
}

Terminal::~Terminal() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

bool Terminal::shows(const std::string& text) {
  while (seen_.find(text) == std::string::npos) {
    char buffer[4096];
    const ssize_t got = ::read(master_.get(), buffer, sizeof buffer);
    if (got <= 0) return false;
    seen_.append(buffer, static_cast<std::size_t>(got));
  }
  return true;
}

void Terminal::type(const std::string& keys) const {
  REQUIRE_EQ(::write(master_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

int Terminal::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace jaula::test

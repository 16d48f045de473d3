#include "tests/support/run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace jaula::test {
namespace {

constexpr unsigned kPatience = 120;  // seconds: a program that hangs fails its test

std::string rest_of(int fd) {
  std::string bytes;
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::read(fd, buffer.data(), buffer.size())) > 0;)
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

Program::Program(const std::vector<std::string>& words, const RunSettings& settings) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) ::abort();
  out_ = Fd(ends[0]);
  const Fd out(ends[1]);
  err_ = Fd(::memfd_create("stderr", MFD_CLOEXEC));
  const Fd in(::memfd_create("stdin", MFD_CLOEXEC));
  if (::write(in.get(), settings.input.data(), settings.input.size()) < 0) ::abort();
  ::lseek(in.get(), 0, SEEK_SET);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::alarm(kPatience);
  ::dup2(in.get(), 0);
  ::dup2(out.get(), 1);
  ::dup2(err_.get(), 2);
  if (!settings.directory.empty() && ::chdir(settings.directory.c_str()) < 0) ::_exit(98);
  for (const auto& [name, value] : settings.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(97);
}

Program::~Program() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Program::line() {
  for (;;) {
    if (const std::size_t end = read_ahead_.find('\n'); end != std::string::npos) {
      std::string text = read_ahead_.substr(0, end);
      read_ahead_.erase(0, end + 1);
      return text;
    }
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(out_.get(), buffer.data(), buffer.size());
    ended_ = got <= 0;
    if (ended_) return std::exchange(read_ahead_, {});
    read_ahead_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void Program::signal(int number) const noexcept { ::kill(pid_, number); }

Ran Program::wait() {
  Ran ran;
  ran.out = std::exchange(read_ahead_, {}) + rest_of(out_.get());
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  ran.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  ::lseek(err_.get(), 0, SEEK_SET);
  ran.err = rest_of(err_.get());
  return ran;
}

Ran run(const std::vector<std::string>& words, const RunSettings& settings) {
  return Program(words, settings).wait();
}

std::string jaula_binary() {
  const char* named = ::getenv("JAULA_BINARY");
  return named != nullptr ? named : JAULA_BIN_DIR "/jaula";
}

std::string probe_binary() { return JAULA_BIN_DIR "/probe"; }

}  // namespace jaula::test

// PID 1 of a jail, in a PID namespace of its own: what it reaps, passes on, and ends with.
#include "isolation/init.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <cstring>
#include <string>

#include "tests/isolation/payloads.h"

namespace jaula::test {
namespace {

void report(int sync, const Error& error) noexcept {
  [[maybe_unused]] const ssize_t told = ::write(sync, error.text().data(), error.text().size());
  ::_exit(static_cast<int>(error.exit_code()));
}

// An orphan that has ended is gone from the process table once PID 1 has reaped it, and PID 1 takes
// signals by number: those below SIGCHLD that came before have been dealt with by then.
constexpr const char* kOrphan =
    "orphan=$(sh -c 'sh -c \"echo \\$\\$; exit 3\" &'); "
    "while kill -0 $orphan 2>/dev/null; do :; done; ";

// run_as_init() as PID 1 of a namespace, with a shell as the payload.
class Init {
 public:
  explicit Init(const std::string& script, const char* shell = "/bin/sh")
      : child_([this, &script, shell] { return start(script, shell); }) {
    sync_.close_to();
    status_.close_to();
    output_.close_to();
    // Who made the namespace tells which pid its PID 1 has outside.
    const std::string bytes = pid_.take(sizeof(pid_t));
    if (bytes.size() == sizeof(pid_t)) std::memcpy(&init_, bytes.data(), sizeof init_);
    if (init_ <= 0) std::puts("SKIP: this user can make no PID namespace here");
  }
  explicit operator bool() const { return init_ > 0; }
  [[nodiscard]] pid_t pid() const { return init_; }
  std::string line() {
    std::string text;
    for (std::string byte = output_.take(1); !byte.empty() && byte != "\n"; byte = output_.take(1))
      text += byte;
    return text;
  }
  std::string synced() { return sync_.take(512); }
  // "exit 7, status 7 0": what PID 1 ended with, and the payload, in the words of wait(2).
  std::string end() {
    int status = -1;
    const std::string bytes = status_.take(sizeof status);
    if (bytes.size() == sizeof status) std::memcpy(&status, bytes.data(), sizeof status);
    const std::string text = "exit " + std::to_string(child_.wait());
    if (bytes.empty()) return text + ", no status";
    return text + (WIFSIGNALED(status) ? ", killed by " + std::to_string(WTERMSIG(status))
                                       : ", payload " + std::to_string(WEXITSTATUS(status)));
  }

 private:
  int start(const std::string& script, const char* shell) {
    pid_t none = 0;
    if (!enter_namespaces(CLONE_NEWPID)) return ::write(pid_.to(), &none, sizeof none) > 0 ? 77 : 1;
    Child init([&] {
      ::dup2(output_.to(), 1);
      const TestPayload payload({"sh", "-c", script}, {shell});
      const Error error = isolation::run_as_init(
          *payload, {}, {.sync = sync_.to(), .status = status_.to()}, report);
      return static_cast<int>(error.exit_code());
    });
    const pid_t pid = init.pid();
    if (::write(pid_.to(), &pid, sizeof pid) != sizeof pid) return 1;
    for (Pipe* pipe : {&pid_, &sync_, &status_, &output_}) pipe->close_to();
    return init.wait();
  }

  Pipe pid_, sync_, status_, output_;
  pid_t init_ = 0;
  Child child_;
};

std::string words_of(const std::string& path, std::string_view key) {
  const std::string status = file_bytes(path);
  for (const std::string_view line : split(status, '\n'))
    if (line.starts_with(key)) return std::string(trim(line.substr(key.size())));
  return "";
}

}  // namespace

TEST_CASE("init: it ends as its payload ended, and tells the whole status") {
  const std::pair<const char*, const char*> rows[] = {
      {"exit 0", "exit 0, payload 0"},
      {"exit 7", "exit 7, payload 7"},
      {"exit 255", "exit 255, payload 255"},
      {"kill -TERM $$", "exit 143, killed by 15"},
      {"kill -KILL $$", "exit 137, killed by 9"},
  };
  for (const auto& [script, end] : rows) {
    CAPTURE(script);
    Init init(script);
    if (!init) return;
    CHECK_EQ(init.end(), end);
  }
}

TEST_CASE("init: orphans are reaped, and theirs is not the end that counts") {
  Init init(std::string("echo $$ $PPID; ") + kOrphan + "echo reaped; exit 5");
  if (!init) return;
  CHECK_EQ(init.line(), "2 1");
  CHECK_EQ(init.line(), "reaped");
  CHECK_EQ(init.end(), "exit 5, payload 5");
}

TEST_CASE("init: signals from outside reach the payload, every one that can be sent") {
  Init init(
      "for s in HUP INT QUIT USR1 USR2 TERM CONT WINCH; do trap \"echo $s\" $s; done; "
      "trap 'exit 9' ALRM; echo ready; while :; do :; done");
  if (!init) return;
  CHECK_EQ(init.line(), "ready");
  const std::pair<int, const char*> rows[] = {
      {SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGUSR1, "USR1"},
      {SIGUSR2, "USR2"}, {SIGTERM, "TERM"}, {SIGCONT, "CONT"}, {SIGWINCH, "WINCH"}};
  for (const auto& [number, name] : rows) {
    ::kill(init.pid(), number);
    CHECK_EQ(init.line(), name);
  }
  ::kill(init.pid(), SIGALRM);
  CHECK_EQ(init.end(), "exit 9, payload 9");
}

TEST_CASE("init: what a process of the jail sends to PID 1 is not passed on, and does not end it") {
  Init init(std::string("trap 'echo passed on' USR1; kill -USR1 1; kill -TERM 1; kill -KILL 1; "
                        "kill -STOP 1; ") +
            kOrphan + "echo alive");
  if (!init) return;
  CHECK_EQ(init.line(), "alive");
  CHECK_EQ(init.end(), "exit 0, payload 0");
}

TEST_CASE("init: the payload leads a session, with no signal blocked, and PID 1 holds nothing") {
  Init init("echo ready; while :; do :; done");
  if (!init) return;
  CHECK_EQ(init.line(), "ready");
  // Both names go with execve: the parent hears that the payload runs by this end.
  CHECK_EQ(init.synced(), "");
  const std::string process = "/proc/" + std::to_string(init.pid());
  const std::string child =
      std::string(trim(file_bytes(process + "/task/" + std::to_string(init.pid()) + "/children")));
  const std::string status = "/proc/" + child + "/status";
  CHECK_EQ(words_of(status, "SigBlk:"), "0000000000000000");
  CHECK_MESSAGE(words_of(status, "NSsid:").ends_with("\t2"), words_of(status, "NSsid:"));
  if (::geteuid() == 0)
    for (const char* number : {"0", "1", "2"})
      CHECK_NE(::access((process + "/fd/" + number).c_str(), F_OK), 0);
  ::kill(init.pid(), SIGTERM);
  CHECK_EQ(init.end(), "exit 143, killed by 15");
}

TEST_CASE("init: a payload that cannot be executed is reported, and there is no other end") {
  Init init("true", "/nowhere/sh");
  if (!init) return;
  CHECK_EQ(init.synced(), "execute sh");
  CHECK_EQ(init.end(), "exit 127, no status");
}

}  // namespace jaula::test

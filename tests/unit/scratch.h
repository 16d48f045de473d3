// A directory that goes away, files in it, and processes that run a part of a test.
#pragma once

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/base/sys.h"

namespace jaula::test {

class Scratch {
 public:
  Scratch() {
    std::string path = std::filesystem::temp_directory_path() / "jaula-test-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) ::abort();
    path_ = path;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

inline void put_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// "" when there is no such file, or, of a file in /proc, no such process any more.
inline std::string file_bytes(const std::string& path) {
  std::string bytes;
  const Result<Fd> file = sys::open(path.c_str(), O_RDONLY);
  char part[65536];
  for (ssize_t got = 0; file && (got = ::read(file->get(), part, sizeof part)) > 0;)
    bytes.append(part, static_cast<std::size_t>(got));
  return bytes;
}

// What a Result says, "" when it is a value: CHECK_EQ(said(...), "") shows the error.
template <class T>
std::string said(const Result<T>& result) {
  if (result) return "";
  return std::string(result.error().text()) +
         (result.error().code() != 0 ? ": " + std::string(result.error().reason()) : "");
}

class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) ::abort();
    from_ = Fd(ends[0]);
    to_ = Fd(ends[1]);
  }
  [[nodiscard]] int to() const { return to_.get(); }
  void close_to() { to_.reset(); }
  // Waits for so many bytes; fewer at the end of the pipe.
  std::string take(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = ::read(from_.get(), bytes.data() + done, size - done);
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }
  std::string take_all() {
    close_to();
    std::string all;
    for (std::string part = take(65536); !part.empty(); part = take(65536)) all += part;
    return all;
  }
  void signal() const {
    if (::write(to_.get(), "x", 1) != 1) ::abort();
  }
  void wait() { take(1); }

 private:
  Fd from_, to_;
};

// A process that runs `part` and exits with what it returns. It is killed with the object.
class Child {
 public:
  template <class Part>
  explicit Child(Part part) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::alarm(60);  // a test that hangs is a failure, not a build that never ends
    int code = 1;
    try {
      code = part();
    } catch (...) {
      code = 2;
    }
    ::_exit(code);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill() const { ::kill(pid_, SIGKILL); }
  // Until it has ended, without taking its status: a zombie stays.
  void wait_for_end() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  int wait() {  // the exit code, 128+n for a signal
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};

// In a Child: a tmpfs of `size` on `path`, in namespaces of its own. False where the kernel does
// not let us.
inline bool mount_small_disk(const std::string& path, const std::string& size) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0) return false;
  if (uid != 0) {
    put_file("/proc/self/setgroups", "deny");
    put_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    put_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
  }
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  return ::mount("tmpfs", path.c_str(), "tmpfs", 0, ("mode=0700,size=" + size).c_str()) == 0;
}
constexpr int kNoSmallDisk = 77;

}  // namespace jaula::test

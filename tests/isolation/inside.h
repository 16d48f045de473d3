// A part of a test in a child with namespaces of its own. What it saw comes back as text, and the
// test compares that: a check in the child would be counted by nobody.
#pragma once

#include <doctest/doctest.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "tests/unit/scratch.h"

namespace jaula::test {

// Text that a child leaves for its parent. Memory, not a pipe: a part may close descriptors.
class SharedText {
 public:
  SharedText()
      : bytes_(static_cast<char*>(
            ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (bytes_ == MAP_FAILED) ::abort();
  }
  SharedText(const SharedText&) = delete;
  SharedText& operator=(const SharedText&) = delete;
  ~SharedText() { ::munmap(bytes_, kSize); }
  void put(std::string_view text) const { text.copy(bytes_, kSize - 1); }
  [[nodiscard]] std::string get() const { return bytes_; }

 private:
  static constexpr std::size_t kSize = std::size_t{1} << 16;
  char* bytes_;
};

// Namespaces of this process's own. A user who is not root is root in a user namespace then, and
// that is the one id it has. False, with errno, where the kernel does not let us.
inline bool enter_namespaces(int flags) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (flags != 0 && uid != 0) flags |= CLONE_NEWUSER;
  if (::unshare(flags) < 0) return false;
  if ((flags & CLONE_NEWUSER) != 0) {
    put_file("/proc/self/setgroups", "deny");
    put_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    put_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
    if (::getuid() != 0) {
      errno = EPERM;
      return false;
    }
  }
  return (flags & CLONE_NEWNS) == 0 ||
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// What `part` returns, run in a child with namespaces of its own (CLONE_NEW*; 0: in a child).
// nullopt, and a line that says so, where this user can have none.
template <class Part>
std::optional<std::string> inside(int flags, Part part) {
  constexpr int kSkipped = 77;
  const SharedText text;
  Child child([&] {
    if (!enter_namespaces(flags)) {
      text.put(::strerror(errno));
      return kSkipped;
    }
    const auto speak = [&] {
      text.put(part());
      return 0;
    };
    // Who unshares a PID namespace is not in it; its first child is.
    return (flags & CLONE_NEWPID) == 0 ? speak() : Child(speak).wait();
  });
  const int code = child.wait();
  if (code == kSkipped) {
    std::printf("SKIP: this user can make no namespaces here: %s\n", text.get().c_str());
    return std::nullopt;
  }
  return code == 0 ? text.get()
                   : text.get() + "(the child ended with " + std::to_string(code) + ")";
}

// A value of this process's /proc/self/status: "CapEff", "SigIgn", "Uid".
inline std::string status_of_self(std::string_view key) {
  const std::string status = file_bytes("/proc/self/status");
  for (const std::string_view line : split(status, '\n'))
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
      return std::string(trim(line.substr(key.size() + 1)));
  return "(no such line)";
}

// This process has no capability any more, in its own user namespace neither.
inline void drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) < 0) ::abort();
}

// The parts one after the other. They are made in this order, too, which those of a sum are not.
inline std::string in_order(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

// What a Result says and what its hint is, on lines of their own; "fine" when it is a value.
template <class T>
std::string outcome(const Result<T>& result) {
  if (result) return "fine\n";
  const std::string hint(result.error().hint_text());
  return said(result) + "\n" + (hint.empty() ? "" : "  " + hint + "\n");
}

}  // namespace jaula::test

// Kernel settings through a procfs that is attached nowhere, and what a name cannot reach.
#include "isolation/sysctls.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <vector>

#include "isolation/mounts.h"
#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::Sysctl;

constexpr int kJail = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
constexpr const char* kFirstPort = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

std::string setting(int proc, const std::string& path) {
  const Result<Fd> file = sys::openat(proc, ("sys/" + path).c_str(), O_RDONLY);
  if (!file) return said(file);
  std::string bytes(64, '\0');
  bytes.resize(static_cast<std::size_t>(std::max(::read(file->get(), bytes.data(), 64), 0L)));
  return bytes;
}

std::string with_index(const Result<void>& result) {
  return outcome(result) + (result ? "" : "entry " + std::to_string(result.error().index()) + "\n");
}

// What looks like a procfs: the directory SCRATCH/proc, with one setting, and a file beside `sys`.
class FakeProc {
 public:
  FakeProc() {
    fs::create_directories(scratch_ / "proc/sys/net");
    put_file(scratch_ / "proc/sys/net/value", "old");
    put_file(scratch_ / "proc/trigger", "old");
    fs::create_symlink("net/value", scratch_ / "proc/sys/link");
    fs::create_symlink("net", scratch_ / "proc/sys/directory-link");
    fs::create_symlink(scratch_ / "proc/trigger", scratch_ / "proc/sys/out");
  }
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return scratch_ / "proc/" + name;
  }
  [[nodiscard]] std::string apply(const std::vector<Sysctl>& sysctls) const {
    const Fd proc = sys::open((scratch_ / "proc").c_str(), O_PATH | O_DIRECTORY).value();
    return with_index(isolation::apply(sysctls, proc.get()));
  }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("sysctls: they are written for the jail's namespaces, and the machine keeps its own") {
  const std::string before = file_bytes(kFirstPort);
  const auto seen = inside(kJail, [] {
    const Result<Fd> proc = isolation::make_proc();
    if (!proc) return outcome(proc);
    std::string text = outcome(
        isolation::apply(std::vector<Sysctl>{{"net/ipv4/ip_unprivileged_port_start", "77", ""},
                                             {"net/ipv4/ping_group_range", "0 0", ""}},
                         proc->get()));
    for (const char* path : {"net/ipv4/ip_unprivileged_port_start", "net/ipv4/ping_group_range"})
      text += setting(proc->get(), path);
    return text;
  });
  if (!seen) return;
  if (seen->find("create file system proc") != std::string::npos)
    return static_cast<void>(std::puts("SKIP: the /proc of this host is covered in part"));
  CHECK_EQ(*seen, "fine\n77\n0\t0\n");
  CHECK_EQ(file_bytes(kFirstPort), before);
}

TEST_CASE("sysctls: a value that the kernel refuses is told with its name and its place") {
  const auto seen = inside(kJail, [] {
    const Result<Fd> proc = isolation::make_proc();
    if (!proc) return outcome(proc);
    return with_index(
        isolation::apply(std::vector<Sysctl>{{"net/ipv4/ip_unprivileged_port_start", "1", ""},
                                             {"net/ipv4/ip_unprivileged_port_start", "x", ""}},
                         proc->get()));
  });
  if (!seen) return;
  if (seen->find("create file system proc") != std::string::npos)
    return static_cast<void>(std::puts("SKIP: the /proc of this host is covered in part"));
  CHECK_EQ(*seen, "sysctl write net/ipv4/ip_unprivileged_port_start: Invalid argument\nentry 1\n");
}

TEST_CASE("sysctls: a name with `..`, with a link or from the root of paths is refused") {
  const FakeProc proc;
  const std::string secret = proc / "trigger";
  const std::pair<std::string, std::string> rows[] = {
      {"../trigger", "Invalid cross-device link"},
      {"net/../../trigger", "Invalid cross-device link"},
      {secret, "Invalid cross-device link"},
      {"link", "Too many levels of symbolic links"},
      {"out", "Too many levels of symbolic links"},
      {"directory-link/value", "Too many levels of symbolic links"},
      {"missing", "No such file or directory"},
      {"net", "Is a directory"},
  };
  for (const auto& [name, reason] : rows) {
    CAPTURE(name);
    CHECK_EQ(proc.apply({{name, "new", ""}}),
             "sysctl open " + name + ": " + reason + "\nentry 0\n");
  }
  CHECK_EQ(file_bytes(secret), "old");
  CHECK_EQ(file_bytes(proc / "sys/net/value"), "old");
  // The control: by its own name it is written.
  CHECK_EQ(proc.apply({{"net/value", "new", ""}}), "fine\n");
  CHECK_EQ(file_bytes(proc / "sys/net/value"), "new");
}

TEST_CASE("sysctls: those before a refused one are written, those after it are not") {
  const FakeProc proc;
  put_file(proc / "sys/first", "old");
  put_file(proc / "sys/last", "old");
  CHECK_EQ(proc.apply({{"first", "new", ""}, {"link", "new", ""}, {"last", "new", ""}}),
           "sysctl open link: Too many levels of symbolic links\nentry 1\n");
  CHECK_EQ(file_bytes(proc / "sys/first"), "new");
  CHECK_EQ(file_bytes(proc / "sys/last"), "old");
}

TEST_CASE("sysctls: a procfs whose sys is a link is none, and without sysctls none is asked for") {
  const FakeProc proc;
  fs::rename(proc / "sys", proc / "moved");
  fs::create_directory_symlink("moved", proc / "sys");
  CHECK_EQ(proc.apply({{"net/value", "new", ""}}), "open sys: Not a directory\nentry -1\n");
  CHECK_EQ(file_bytes(proc / "moved/net/value"), "old");
  CHECK_EQ(outcome(isolation::apply(std::vector<Sysctl>(), -1)), "fine\n");
}

TEST_CASE("sysctls: what somebody mounted over a part of the procfs is not written") {
  const FakeProc proc;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const std::string covered = proc / "sys/net";
    if (::mount("tmpfs", covered.c_str(), "tmpfs", 0, nullptr) < 0) return std::string("no mount");
    put_file(covered + "/value", "theirs");
    return in_order({proc.apply({{"net/value", "new", ""}}), file_bytes(covered + "/value")});
  });
  if (!seen) return;
  CHECK_EQ(*seen, "sysctl open net/value: Invalid cross-device link\nentry 0\ntheirs");
}

}  // namespace jaula::test

// What a domain of Landlock refuses, seen from inside of it.
#include "isolation/landlock.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

using namespace isolation;

constexpr std::uint64_t kReading = kReadFile | kReadDirectory;
constexpr std::uint64_t kWriting =
    kReading | kWriteFile | kMakeFile | kMakeDirectory | kRemoveFile | kRemoveDirectory | kTruncate;

// Says why the test is not run when the kernel has less.
bool have_abi(int needed) {
  const Result<int> abi = landlock_abi();
  if (abi && *abi >= needed) return true;
  std::printf("SKIP: no Landlock of ABI %d: %s\n", needed, abi ? "older" : said(abi).c_str());
  static_cast<void>(std::fflush(stdout));
  return false;
}

// In a child that is under the rules: the exit code is what `look` returns, 100 when they were
// refused.
template <class Look>
int under(const Landlock& rules, Look look) {
  Child child([&] {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !apply(rules)) return 100;
    return look();
  });
  return child.wait();
}

int errno_of_open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  return fd < 0 ? errno : (::close(fd), 0);
}

int errno_of(int result) { return result < 0 ? errno : 0; }

int errno_of_bind(std::uint16_t port) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return errno_of(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
}

struct Files {
  Files() {
    for (const char* name : {"/ro", "/rw", "/none"}) {
      std::filesystem::create_directory(scratch.path() + name);
      put_file(scratch.path() + name + "/file", "text");
    }
  }
  [[nodiscard]] Landlock rules() const {
    return {.files = kWriting | kExecuteFile,
            .paths = {{.path = scratch / "ro", .rights = kReading},
                      {.path = scratch / "rw", .rights = kWriting}}};
  }
  Scratch scratch;
};

}  // namespace

TEST_CASE("landlock: without rules no domain is made") {
  const Files files;
  CHECK_EQ(under({}, [&] { return errno_of_open(files.scratch / "none/file", O_RDWR); }), 0);
  CHECK_EQ(under({.flags = kNoAuditOfSubdomains}, [] { return errno_of_open("/", O_RDONLY); }), 0);
}

TEST_CASE("landlock: a path gives its rights to what is below it, and nothing else is reached") {
  if (!have_abi(3)) return;
  const Files files;
  const Scratch& at = files.scratch;
  const auto open = [&](const char* name, int flags) {
    return under(files.rules(), [&] { return errno_of_open(at / name, flags); });
  };
  CHECK_EQ(open("ro/file", O_RDONLY), 0);
  CHECK_EQ(open("ro/file", O_WRONLY), EACCES);
  CHECK_EQ(open("ro/new", O_WRONLY | O_CREAT), EACCES);
  CHECK_EQ(open("rw/file", O_RDWR), 0);
  CHECK_EQ(open("rw/new", O_WRONLY | O_CREAT), 0);
  CHECK_EQ(open("none/file", O_RDONLY), EACCES);
  CHECK_EQ(open("", O_RDONLY | O_DIRECTORY), EACCES);
  const auto truncate = [&](const std::string& path) {
    return under(files.rules(), [&] { return errno_of(::truncate(path.c_str(), 0)); });
  };
  CHECK_EQ(truncate(at / "ro/file"), EACCES);
  CHECK_EQ(truncate(at / "rw/file"), 0);
  CHECK_EQ(file_bytes(at / "ro/file"), "text");
}

TEST_CASE("landlock: a rule for a file takes what applies to files of the rights") {
  if (!have_abi(3)) return;
  const Files files;
  const Landlock rules{.files = kWriting,
                       .paths = {{.path = files.scratch / "none/file", .rights = kWriting}}};
  CHECK_EQ(under(rules, [&] { return errno_of_open(files.scratch / "none/file", O_RDWR); }), 0);
  CHECK_EQ(under(rules, [&] { return errno_of_open(files.scratch / "ro/file", O_RDONLY); }),
           EACCES);
}

TEST_CASE("landlock: a link in a listed path is followed when the rules are made") {
  if (!have_abi(1)) return;
  const Files files;
  std::filesystem::create_directory_symlink("ro", files.scratch / "link");
  const Landlock rules{.files = kReading,
                       .paths = {{.path = files.scratch / "link", .rights = kReading}}};
  CHECK_EQ(under(rules, [&] { return errno_of_open(files.scratch / "ro/file", O_RDONLY); }), 0);
}

TEST_CASE("landlock: a path that is not there is an error with its index, or is passed over") {
  if (!have_abi(1)) return;
  Landlock rules{
      .files = kReading,
      .paths = {{.path = "/", .rights = kReading}, {.path = "/nothing/here", .rights = kReading}}};
  Pipe pipe;
  Child child([&] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const Result<void> applied = apply(rules);
    const std::string text = said(applied);
    static_cast<void>(::write(pipe.to(), text.data(), text.size()));
    return applied ? 100 : applied.error().index();
  });
  CHECK_EQ(child.wait(), 1);
  CHECK_EQ(pipe.take_all(), "landlock: open /nothing/here: No such file or directory");
  rules.skip_missing = true;
  CHECK_EQ(under(rules, [] { return 7; }), 7);
}

TEST_CASE("landlock: ports of TCP are bound where a rule says so, 0 being one that is free") {
  if (!have_abi(4)) return;
  const auto bind = [](std::vector<PortRule> ports, std::uint16_t port) {
    return under({.tcp = kBindTcp, .ports = std::move(ports)}, [&] { return errno_of_bind(port); });
  };
  CHECK_EQ(bind({}, 0), EACCES);
  CHECK_EQ(bind({{.port = 0, .rights = kBindTcp}}, 0), 0);
  CHECK_EQ(bind({{.port = 0, .rights = kBindTcp}}, 33333), EACCES);
}

TEST_CASE("landlock: with the scope of signals only processes of the domain are signalled") {
  if (!have_abi(6)) return;
  Child outside([] { return ::pause(); });
  const auto reach = [&] { return errno_of(::kill(outside.pid(), 0)); };
  CHECK_EQ(under({.tcp = kBindTcp}, reach), 0);
  CHECK_EQ(under({.scopes = kSignals}, reach), EPERM);
  CHECK_EQ(under({.scopes = kSignals},
                 [] {
                   Child inside([] { return ::pause(); });
                   return errno_of(::kill(inside.pid(), 0));
                 }),
           0);
}

TEST_CASE("landlock: a kernel's refusal is said") {
  if (!have_abi(1)) return;
  Child child([] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const Result<void> applied = apply({.files = std::uint64_t{1} << 63});
    return applied ? 0 : applied.error().code();
  });
  CHECK_EQ(child.wait(), EINVAL);
}

}  // namespace jaula::test

// The kernel's own answers under an installed filter, in a child that may be spoilt. Each refusal
// is first shown to be the filter's: without it the same call is answered differently.
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "runtime/plan/seccomp.h"

namespace jaula::test {
namespace {

using spec::SeccompProfile;

constexpr long kUpperBit = 1L << 32;

// 0, or the errno of the call.
int error_of(long result) { return result < 0 ? errno : 0; }

int type_into(int terminal) {
  char letter = 'x';
  return error_of(::syscall(SYS_ioctl, terminal, TIOCSTI | kUpperBit, &letter));
}

int open_socket(int family, int protocol) {
  return error_of(::socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol));
}

const char* check_refusals(bool filtered) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return "open /dev/null";
  if (type_into(null) != (filtered ? EPERM : ENOTTY)) return "TIOCSTI with a bit above 32";
  if (error_of(::unshare(0)) != (filtered ? EPERM : 0)) return "unshare";
  if (open_socket(AF_NETLINK, NETLINK_GENERIC) != (filtered ? EPROTONOSUPPORT : 0))
    return "a generic netlink socket";
  if (open_socket(AF_NETLINK, NETLINK_ROUTE) != 0) return "a route netlink socket";
  if (filtered && open_socket(AF_VSOCK, 0) != EAFNOSUPPORT) return "AF_VSOCK";
  // An argument no kernel takes: EINVAL says that the call is there.
  if (error_of(::syscall(SYS_clone3, nullptr, 0)) != (filtered ? ENOSYS : EINVAL)) return "clone3";
  if (error_of(::syscall(999)) != ENOSYS) return "a number nobody has";
  return nullptr;
}

bool child_ends_well(void (*act)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    act();
    ::_exit(1);
  }
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

const char* check_ordinary_work() {
  int ends[2];
  char byte = 0;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return "socketpair";
  if (::write(ends[0], "y", 1) != 1 || ::read(ends[1], &byte, 1) != 1 || byte != 'y')
    return "write and read";
  if (!child_ends_well([] { ::_exit(0); })) return "fork";
  if (!child_ends_well([] { ::execl("/bin/true", "true", nullptr); })) return "exec of /bin/true";
  if (!child_ends_well([] { ::execl("/bin/sh", "sh", "-c", "ls / | wc -l >/dev/null", nullptr); }))
    return "a pipeline of a shell";
  return nullptr;
}

const char* install(const std::vector<sock_filter>& filter) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return "no_new_privs";
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                     .filter = const_cast<sock_filter*>(filter.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return "the filter itself";
  return nullptr;
}

const char* try_filter(const std::vector<sock_filter>& filter) {
  if (check_refusals(false) != nullptr) return "the control, without a filter";
  if (const char* failed = install(filter)) return failed;
  if (const char* failed = check_refusals(true)) return failed;
  return check_ordinary_work();
}

// Under rules that look at 64 bits and answer with errnos of their own.
const char* try_rules(const std::vector<sock_filter>& filter) {
  const auto seek = [](long offset) { return error_of(::syscall(SYS_lseek, -1, offset, 0)); };
  for (const long offset : {0L, kUpperBit, -1L})
    if (seek(offset) != EBADF) return "the control, without a filter";
  if (const char* failed = install(filter)) return failed;
  if (seek(kUpperBit + 1) != EXDEV) return "an offset above";
  if (seek(-1) != EXDEV) return "the largest offset";
  if (seek(kUpperBit) != EBADF || seek(1) != EBADF) return "an offset that is not above";
  if (error_of(::syscall(SYS_mkdir, "/", 0)) != ENOTTY) return "an errno of the rule's";
  if (error_of(::syscall(999)) != ENOSYS) return "a number nobody has";
  return nullptr;
}

using Try = const char* (*)(const std::vector<sock_filter>& filter);

// "done", or what went differently than expected.
std::string run_in_child(const std::vector<sock_filter>& filter, Try attempt = try_filter) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const char* failed = attempt(filter);
    const std::string_view text = failed != nullptr ? failed : "done";
    ::_exit(::write(ends[1], text.data(), text.size()) < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  char text[128] = {};
  const ssize_t size = ::read(ends[0], text, sizeof text - 1);
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return size > 0 ? text : "the child said nothing";
}

}  // namespace

TEST_CASE("seccomp in the kernel: the default filter refuses what it should and programs run") {
  CHECK(run_in_child(plan::compile_seccomp(SeccompProfile::kDefault, 0)) == "done");
}

TEST_CASE("seccomp in the kernel: the strict filter refuses what it should and programs run") {
  CHECK(run_in_child(plan::compile_seccomp(SeccompProfile::kStrict, 0)) == "done");
}

TEST_CASE("seccomp in the kernel: rules of OCI's form answer as they say, in 64 bits") {
  using spec::SeccompAction;
  const spec::SeccompConfig config{
      .default_action = SeccompAction::kAllow,
      .syscalls = {{.names = {"lseek"},
                    .action = SeccompAction::kErrno,
                    .errno_ret = EXDEV,
                    .args = {{1, kUpperBit, 0, spec::SeccompOperator::kGreater}}},
                   {.names = {"mkdir"}, .action = SeccompAction::kErrno, .errno_ret = ENOTTY}}};
  CHECK(run_in_child(plan::compile_seccomp(config), try_rules) == "done");
}

}  // namespace jaula::test

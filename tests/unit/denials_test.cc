// What is reported of a filter's answers, and denied calls as text. What the kernel does with it is
// for tests/jail.
#include "runtime/denials.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/seccomp.h>

#include "runtime/base/sys.h"
#include "runtime/denial_text.h"
#include "runtime/plan/seccomp.h"
#include "runtime/spec/syscall_names.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {
namespace {

using spec::SeccompProfile;

constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

std::string text_of(const char* name, std::array<std::uint64_t, 6> arguments) {
  return call_text({.number = *spec::find_syscall(name), .arguments = arguments});
}

}  // namespace

TEST_CASE("denials: the filter that reports answers as the other, but for EPERM") {
  for (const SeccompProfile profile : {SeccompProfile::kDefault, SeccompProfile::kStrict}) {
    const Filter plain = plan::compile_seccomp(profile, 0);
    const Filter reporting = plan::report_denials(plain);
    REQUIRE_EQ(reporting.size(), plain.size());
    int reported = 0;
    const auto compare = [&](const seccomp_data& call) {
      const std::uint32_t without = evaluate(plain, call).value;
      const std::uint32_t with = evaluate(reporting, call).value;
      CHECK_EQ(with, without == kRefused ? SECCOMP_RET_USER_NOTIF : without);
      if (with == SECCOMP_RET_USER_NOTIF) ++reported;
    };
    for (const std::uint32_t architecture :
         {std::uint32_t{AUDIT_ARCH_X86_64}, std::uint32_t{AUDIT_ARCH_I386}})
      for (std::uint32_t number = 0; number < kNumbers; ++number)
        compare(call_of(number, {}, architecture));
    for (const ArgumentCase& one : kArgumentCases)
      if (const auto number = spec::find_syscall(one.call))
        compare(call_of(static_cast<std::uint32_t>(*number), one.arguments));
    CHECK_GT(reported, 50);
  }
  CHECK(plan::report_denials({}).empty());
  CHECK(plan::report_denials({BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)}).empty());
}

TEST_CASE("denials: arguments are told where they are numbers, as wide as the call has them") {
  CHECK_EQ(text_of("mount", {1, 2, 3, 0x1001, 0, 9}),
           "mount(pointer, pointer, pointer, 0x1001, NULL)");
  CHECK_EQ(text_of("ptrace", {16, 0xffffffffffffffff, 0x7ffc00001000, 0}),
           "ptrace(0x10, -1, 0x7ffc00001000, 0)");
  CHECK_EQ(text_of("mknod", {1, 0644, 0xffffffff00000103}), "mknod(pointer, 0644, 259)");
  CHECK_EQ(text_of("setns", {0xffffffff00000005, 0}), "setns(5, 0)");
  CHECK_EQ(text_of("getpid", {1}), "getpid()");
  CHECK_EQ(call_text({.number = 500}), "500()");
  const Denial kill{.number = *spec::find_syscall("kill"), .arguments = {0xfffffffb, 9}};
  CHECK_EQ(argument_numbers(kill), std::vector<std::optional<std::int64_t>>{-5, 9});
}

TEST_CASE("denials: every call that there is has its arguments in the table") {
  // As the kernel: what has none, or what no kernel of today has.
  const std::string_view none =
      " _sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old fork get_kernel_syms "
      "get_thread_area getegid geteuid getgid getpgrp getpid getpmsg getppid gettid getuid "
      "inotify_init lookup_dcookie munlockall nfsservctl pause putpmsg query_module "
      "restart_syscall rt_sigreturn sched_yield security set_thread_area setsid sync tuxcall "
      "uprobe "
      "uretprobe uselib vfork vhangup vserver ";
  for (const int number : spec::kSyscallsByName) {
    const std::string name(spec::syscall_name(number));
    CAPTURE(name);
    CHECK_EQ(argument_kinds(name).empty(), none.find(" " + name + " ") != none.npos);
    CHECK_EQ(argument_kinds(name).find_first_not_of("pdDuUxo"), std::string_view::npos);
    CHECK_LE(argument_kinds(name).size(), 6);
  }
}

TEST_CASE("denials: no more than a number of reports is taken in a period") {
  Allowance allowance;
  const std::int64_t start = 5'000'000'000;
  for (unsigned i = 0; i + 1 < Allowance::kReports; ++i) allowance.take(start);
  CHECK_EQ(allowance.pause(start), 0);
  allowance.take(start + 10);
  CHECK_EQ(allowance.pause(start + 10), Allowance::kPeriod - 10);
  CHECK_EQ(allowance.pause(start + Allowance::kPeriod), 0);
  allowance.take(start + Allowance::kPeriod);
  CHECK_EQ(allowance.pause(start + Allowance::kPeriod), 0);
}

TEST_CASE("denials: what is not a table of ours reads as nothing") {
  const Scratch scratch;
  Result<Fd> opened = sys::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY);
  const Fd directory = std::move(*opened);
  CHECK(read_denials(directory.get()).calls.empty());
  put_file(scratch / "denials", std::string(100, 'x'));
  CHECK(read_denials(directory.get()).calls.empty());
  put_file(scratch / "denials", std::string(16384, '\x7f'));
  CHECK(read_denials(directory.get()).calls.empty());
  put_file(scratch / "denials", "");
  record_unreported(directory.get());
  CHECK_FALSE(read_denials(directory.get()).reported);
}

}  // namespace jaula::test

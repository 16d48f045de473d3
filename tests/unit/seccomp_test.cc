// The rules a jail's filter must keep, asked of the compiled program. The whole of its answers is
// compared with golden files in seccomp_golden_test.cc.
#include "runtime/plan/seccomp.h"

#include <doctest/doctest.h>
#include <seccomp.h>
#include <stdlib.h>

#include <memory>
#include <sstream>

#include "runtime/spec/syscall_names.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {
namespace {

using plan::compile_seccomp;
using spec::SeccompProfile;

constexpr std::uint64_t kEveryCapability = ~std::uint64_t{0};
constexpr SeccompProfile kProfiles[] = {SeccompProfile::kDefault, SeccompProfile::kStrict};

}  // namespace

TEST_CASE("seccomp: no jail types into a terminal, whatever it holds and sets above 32 bits") {
  for (const SeccompProfile profile : kProfiles) {
    const Filter filter = compile_seccomp(profile, kEveryCapability);
    for (const std::uint64_t request : {TIOCSTI, TIOCLINUX, TIOCSETD})
      for (int bit = 32; bit < 64; ++bit)
        CHECK(answer(filter, "ioctl", {0, request | std::uint64_t{1} << bit}) == "EPERM");
    CHECK(answer(filter, "ioctl", {0, TIOCSCTTY}) == "allow");
  }
}

TEST_CASE("seccomp: new namespaces are made by no call, threads and processes are") {
  for (const SeccompProfile profile : kProfiles) {
    const Filter filter = compile_seccomp(profile, 0);
    for (const char* name : {"unshare", "setns"})
      CHECK(answers(filter, static_cast<std::uint32_t>(*spec::find_syscall(name))) ==
            std::set<std::string>{"EPERM"});
    CHECK(answer(filter, "clone3") == "ENOSYS");
    CHECK(answer(filter, "clone", {CLONE_NEWUSER | kUpperHalf | SIGCHLD}) == "EPERM");
    CHECK(answer(filter, "clone", {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}) == "allow");
    CHECK(answer(filter, "fork") == "allow");
  }
}

TEST_CASE("seccomp: four socket families are there") {
  for (const SeccompProfile profile : kProfiles)
    for (std::uint64_t family = 0; family < 64; ++family) {
      const bool there =
          family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
      const Filter filter = compile_seccomp(profile, 0);
      for (const char* call : {"socket", "socketpair"})
        CHECK(answer(filter, call, {family, SOCK_RAW}) == (there ? "allow" : "EAFNOSUPPORT"));
    }
}

TEST_CASE("seccomp: other ABIs and numbers nobody knows are ENOSYS with every capability too") {
  for (const SeccompProfile profile : kProfiles) {
    const Filter filter = compile_seccomp(profile, kEveryCapability);
    for (std::uint32_t number = 0; number < kNumbers; ++number) {
      CHECK(answer(filter, call_of(number, {}, AUDIT_ARCH_I386)) == "ENOSYS");
      CHECK(answer(filter, call_of(number | kX32)) == "ENOSYS");
    }
    for (const std::uint32_t number :
         {337U, 423U, 471U, 512U, 547U, 999U, kX32 - 1, 0x80000000U, 0x80000001U, 0xffffffffU})
      CHECK(answer(filter, call_of(number)) == "ENOSYS");
  }
}

TEST_CASE("seccomp: strict lets nothing through that default denies, and knows no capabilities") {
  const Filter standard = compile_seccomp(SeccompProfile::kDefault, 0);
  const Filter strict = compile_seccomp(SeccompProfile::kStrict, kEveryCapability);
  for (std::uint32_t number = 0; number < kNumbers; ++number)
    for (const seccomp_data& call : calls_of(number))
      if (answer(strict, call) == "allow") CHECK(answer(standard, call) == "allow");
  CHECK(answer(strict, "mount") == "EPERM");
}

TEST_CASE("seccomp: a capability takes nothing away") {
  const Filter without = compile_seccomp(SeccompProfile::kDefault, 0);
  for (int capability = 0; capability < 64; ++capability) {
    const Filter with = compile_seccomp(SeccompProfile::kDefault, std::uint64_t{1} << capability);
    for (std::uint32_t number = 0; number < kNumbers; ++number)
      for (const seccomp_data& call : calls_of(number))
        if (answer(without, call) == "allow") CHECK(answer(with, call) == "allow");
  }
}

TEST_CASE(
    "seccomp: with limits of TCP ports nothing makes connections that Landlock does not see") {
  constexpr std::uint64_t kMptcp = 262, kSmc = 256;
  constexpr std::uint64_t kSending = MSG_FASTOPEN | MSG_NOSIGNAL;
  for (const SeccompProfile profile : kProfiles)
    for (const std::uint64_t capabilities : {std::uint64_t{0}, kEveryCapability}) {
      const Filter open = compile_seccomp(profile, capabilities);
      const Filter limited = compile_seccomp(profile, capabilities, true);
      for (const std::uint64_t family : {AF_INET, AF_INET6}) {
        for (const std::uint64_t protocol : {kMptcp, kSmc, kMptcp | kBit32}) {
          CHECK(answer(open, "socket", {family, SOCK_STREAM, protocol}) == "allow");
          CHECK(answer(limited, "socket", {family, SOCK_STREAM, protocol}) == "EPROTONOSUPPORT");
        }
        for (const std::uint64_t protocol : {0, 6, 17})
          CHECK(answer(limited, "socket", {family, SOCK_STREAM, protocol}) == "allow");
      }
      CHECK(answer(limited, "socket", {AF_UNIX, SOCK_STREAM, kMptcp}) == "allow");
      CHECK(answer(limited, "socket", {AF_CAN, SOCK_RAW}) == "EAFNOSUPPORT");
      for (const char* call : {"sendto", "sendmmsg"}) {
        CHECK(answer(open, call, {3, 0, 0, kSending}) == "allow");
        CHECK(answer(limited, call, {3, 0, 0, kSending}) == "EOPNOTSUPP");
        CHECK(answer(limited, call, {3, 0, kSending, MSG_NOSIGNAL}) == "allow");
      }
      CHECK(answer(open, "sendmsg", {3, 0, kSending}) == "allow");
      CHECK(answer(limited, "sendmsg", {3, 0, kSending}) == "EOPNOTSUPP");
      CHECK(answer(limited, "sendmsg", {3, 0, MSG_NOSIGNAL, kSending}) == "allow");
    }
}

TEST_CASE("seccomp: the limits of TCP ports change nothing else") {
  for (const SeccompProfile profile : kProfiles) {
    const Filter open = compile_seccomp(profile, 0);
    const Filter limited = compile_seccomp(profile, 0, true);
    for (std::uint32_t number = 0; number < kNumbers; ++number)
      for (const seccomp_data& call : calls_of(number))
        CHECK(answer(open, call) == answer(limited, call));
  }
}

TEST_CASE("seccomp: the description counts what evaluation lets through") {
  for (const auto& [profile, word] : {std::pair(SeccompProfile::kDefault, "default"),
                                      std::pair(SeccompProfile::kStrict, "strict")}) {
    const Filter filter = compile_seccomp(profile, 0);
    std::size_t reachable = 0;
    for (std::uint32_t number = 0; number < kNumbers; ++number)
      reachable += answers(filter, number).count("allow");
    std::ostringstream text;
    text << "seccomp: " << word << ", " << reachable << " syscalls, " << filter.size()
         << " instructions";
    CHECK(plan::describe_seccomp(profile, 0) == text.str());
    CHECK(reachable > 200);
  }
}

TEST_CASE("seccomp: unconfined is no filter") {
  CHECK(compile_seccomp(SeccompProfile::kUnconfined, 0).empty());
  CHECK(plan::describe_seccomp(SeccompProfile::kUnconfined, 0) == "seccomp: unconfined");
}

TEST_CASE("seccomp: the table has libseccomp's names and numbers") {
  int compared = 0;
  for (int number = 0; number < static_cast<int>(kNumbers); ++number) {
    const std::unique_ptr<char, decltype(&::free)> theirs(
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), &::free);
    const std::string ours(spec::syscall_name(number));
    if (theirs) CHECK(ours == theirs.get());
    if (theirs) ++compared;
    if (!ours.empty()) {
      CHECK(spec::find_syscall(ours) == number);
    }
  }
  CHECK(compared >= 362);  // what 2.5.4 knows
  CHECK_FALSE(spec::find_syscall("").has_value());
  CHECK_FALSE(spec::find_syscall("reed").has_value());
}

}  // namespace jaula::test

// Resource limits as prlimit(2) reads them back, set from inside and raised from outside.
#include "isolation/rlimits.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

using isolation::Rlimit;

std::string limit_of(pid_t pid, __rlimit_resource resource) {
  rlimit64 limit{};
  if (::prlimit64(pid, resource, nullptr, &limit) < 0) return ::strerror(errno);
  return std::to_string(limit.rlim_cur) + "/" + std::to_string(limit.rlim_max) + "\n";
}

// Ours, so that what a test asks for is more.
void lower_files(std::uint64_t soft, std::uint64_t hard) {
  const rlimit64 limit{.rlim_cur = soft, .rlim_max = hard};
  if (::setrlimit64(RLIMIT_NOFILE, &limit) < 0) ::abort();
}

std::string with_index(const Result<void>& result) {
  return outcome(result) + (result ? "" : "entry " + std::to_string(result.error().index()) + "\n");
}

}  // namespace

TEST_CASE("rlimits: the soft and the hard limit are as the plan says, and no other one changes") {
  const auto seen = inside(0, [] {
    const std::string before = limit_of(0, RLIMIT_STACK);
    std::string text = outcome(isolation::apply(std::vector<Rlimit>{
        {RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 100, 200}, {RLIMIT_NOFILE, 50, 150}}));
    text += limit_of(0, RLIMIT_CORE) + limit_of(0, RLIMIT_NOFILE);
    return text + (limit_of(0, RLIMIT_STACK) == before ? "the same" : "another");
  });
  CHECK_EQ(*seen, "fine\n0/0\n50/150\nthe same");
}

TEST_CASE("rlimits: the one that the kernel refuses is told by its place, those before it hold") {
  const auto seen = inside(0, [] {
    std::string text = with_index(isolation::apply(
        std::vector<Rlimit>{{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 9, 8}, {RLIMIT_NPROC, 1, 1}}));
    return text + limit_of(0, RLIMIT_CORE);
  });
  CHECK_EQ(*seen, "set resource limit: Invalid argument\nentry 1\n0/0\n");
}

TEST_CASE("rlimits: no hard limit is raised from inside a user namespace") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    lower_files(64, 128);
    return in_order({with_index(isolation::apply(std::vector<Rlimit>{{RLIMIT_NOFILE, 64, 129}})),
                     limit_of(0, RLIMIT_NOFILE)});
  });
  if (!seen) return;
  CHECK_EQ(*seen, "set resource limit: Operation not permitted\nentry 0\n64/128\n");
}

TEST_CASE(
    "rlimits: from outside a hard limit is raised for the child, and what is not above stays") {
  const std::string effective = status_of_self("CapEff");
  if ((std::stoull(effective, nullptr, 16) >> CAP_SYS_RESOURCE & 1) == 0)
    return static_cast<void>(std::puts("SKIP: raising a limit needs CAP_SYS_RESOURCE"));
  const auto seen = inside(0, [] {
    lower_files(64, 128);
    Pipe never;
    const Child child([&] {
      never.close_to();
      never.wait();
      return 0;
    });
    std::string text =
        outcome(isolation::raise_for(child.pid(), {{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 1, 128}}));
    text += limit_of(child.pid(), RLIMIT_NOFILE);
    text += outcome(isolation::raise_for(child.pid(), {{RLIMIT_NOFILE, 1, 4096}}));
    return text + limit_of(child.pid(), RLIMIT_NOFILE) + limit_of(0, RLIMIT_NOFILE);
  });
  // The soft limit is for the child itself to set.
  CHECK_EQ(*seen, "fine\n64/128\nfine\n64/4096\n64/128\n");
}

TEST_CASE("rlimits: who may not raise a limit is told which one, and what to do") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    lower_files(64, 128);
    return in_order({with_index(isolation::raise_for(
                         ::getpid(), {{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 1, 129}})),
                     limit_of(0, RLIMIT_NOFILE)});
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "set resource limit: Operation not permitted\n"
           "  raising a hard limit needs CAP_SYS_RESOURCE; ask for no more than the limit that "
           "jaula itself was started with (see `prlimit`)\nentry 1\n64/128\n");
}

}  // namespace jaula::test

// Cgroups as the kernel has them. The effect of controllers is seen in the virtual machine.
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/isolation/cgroup_ground.h"

namespace jaula::test {
namespace {

using namespace cgroup_ground;
using cgroups::Cgroup;

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool event(const Cgroup& cgroup, std::string_view line) {
  const std::string text = read_file(cgroup.path() + "/cgroup.events").value();
  const auto lines = split(text, '\n');
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("cgroup: a name that is in use cannot be made again") {
  const Playground ground;
  if (!ground) return;
  const Cgroup web = ground.make("web");
  const Result<Fd> parent = sys::open(ground.path().c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(parent);
  const Result<Cgroup> again = Cgroup::create(parent->get(), ground.path(), "web");
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == EEXIST);
  CHECK(again.error().text() == "make cgroup " + ground.path() + "/web");
  CHECK_FALSE(web.populated().value());
}

TEST_CASE("cgroup: a process can be born in it, and is listed with those of nested cgroups") {
  const Playground ground;
  if (!ground) return;
  const Cgroup web = ground.make("web");
  const Cgroup nested = ground.make(web, "nested");
  const Process first(web);
  const Process second(nested);
  const std::string below = ground.path().substr(ground.mount().size());
  CHECK(cgroup_of(first.pid()) == below + "/web");
  CHECK(cgroup_of(second.pid()) == below + "/web/nested");
  CHECK(web.populated().value());
  std::vector<int> pids = web.pids().value();
  std::sort(pids.begin(), pids.end());
  CHECK(pids ==
        std::vector<int>{std::min(first.pid(), second.pid()), std::max(first.pid(), second.pid())});
}

TEST_CASE("cgroup: freeze returns when the kernel says frozen, thaw when it says not") {
  const Playground ground;
  if (!ground) return;
  const Cgroup web = ground.make("web");
  const Process process(web);
  CHECK(event(web, "frozen 0"));
  REQUIRE(web.freeze(true));
  CHECK(event(web, "frozen 1"));
  REQUIRE(web.freeze(true));
  REQUIRE(web.freeze(false));
  CHECK(event(web, "frozen 0"));
}

TEST_CASE("cgroup: kill ends a whole tree, frozen or not, and returns when it is empty") {
  const Playground ground;
  if (!ground) return;
  for (const bool frozen : {false, true}) {
    CAPTURE(frozen);
    Cgroup web = ground.make("web");
    const Cgroup deep = ground.make(ground.make(ground.make(web, "a"), "b"), "c");
    Process top(web);
    Process bottom(deep);
    if (frozen) REQUIRE(web.freeze(true));
    REQUIRE(web.kill());
    CHECK(event(web, "populated 0"));
    CHECK(was_killed(top.wait()));
    CHECK(was_killed(bottom.wait()));
    REQUIRE(web.remove());
    CHECK_FALSE(exists(ground.path() + "/web"));
  }
}

TEST_CASE("cgroup: no process forks away from a kill, with cgroup.kill or without") {
  const Playground ground;
  if (!ground) return;
  for (auto kill : {&Cgroup::kill, &Cgroup::kill_one_by_one}) {
    Cgroup web = ground.make("web");
    const int failed = in_child([&] {
      // Every process lives only until it has forked the next; nobody waits for them.
      ::prctl(PR_SET_CHILD_SUBREAPER, 1);
      static_cast<void>(::signal(SIGCHLD, SIG_IGN));
      const Process chain(web, [] {
        for (;;)
          if (::fork() > 0) ::_exit(0);
      });
      if (!(web.*kill)()) return 1;
      return event(web, "populated 0") && web.pids().value().empty() ? 0 : 2;
    });
    CHECK(failed == 0);
    CHECK(web.remove());
  }
}

TEST_CASE("cgroup: what others removed has been killed and removed") {
  const Playground ground;
  if (!ground) return;
  Cgroup web = ground.make("web");
  REQUIRE(::rmdir(web.path().c_str()) == 0);
  CHECK(web.kill());
  CHECK(web.kill_one_by_one().error().code() == ENOENT);
  CHECK(web.remove());
  CHECK_FALSE(web);
}

TEST_CASE("cgroup: remove takes away any depth with few descriptors") {
  const Playground ground;
  if (!ground) return;
  Cgroup web = ground.make("web");
  constexpr int kDepth = 200;
  {
    Cgroup deepest = ground.make(web, "sibling");
    deepest = ground.make(web, "n");
    for (int depth = 1; depth < kDepth; ++depth) deepest = ground.make(deepest, "n");
  }
  const int failed = in_child([&] {
    const rlimit few{.rlim_cur = 16, .rlim_max = 16};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
    if (!web.pids()) return 2;
    return web.remove() ? 0 : 3;
  });
  CHECK(failed == 0);
  CHECK_FALSE(exists(ground.path() + "/web"));
}

TEST_CASE("cgroup: remove gives up on a living jail in the time it was given") {
  const Playground ground;
  if (!ground) return;
  Cgroup web = ground.make("web");
  const Cgroup nested = ground.make(web, "nested");
  const Process process(nested);
  const Result<void> removed = web.remove(std::chrono::milliseconds(20));
  REQUIRE_FALSE(removed);
  CHECK(removed.error().code() == ETIMEDOUT);
  CHECK(removed.error().text() == "cgroup " + ground.path() + "/web: wait for populated 0");
  CHECK(exists(nested.path()));
  CHECK(web);
}

TEST_CASE("cgroup: remove waits for a process that is about to end") {
  const Playground ground;
  if (!ground) return;
  Cgroup web = ground.make("web");
  Process process(web);
  const pid_t helper = ::fork();
  if (helper == 0) ::_exit(::kill(process.pid(), SIGKILL) == 0 ? 0 : 1);
  CHECK(web.remove());
  CHECK_FALSE(exists(ground.path() + "/web"));
  CHECK(was_killed(process.wait()));
  int status = -1;
  CHECK(::waitpid(helper, &status, 0) == helper);
  CHECK(status == 0);
}

}  // namespace jaula::test

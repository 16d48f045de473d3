// The choice of a parent cgroup, on made-up files.
#include "cgroups/hierarchy.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/fake_cgroups.h"

namespace jaula::test {
namespace {

using namespace cgroups;
using Strings = std::vector<std::string>;

constexpr uid_t kUser = 1000;
constexpr const char* kSession = "/user.slice/user-1000.slice/session-2.scope";
constexpr const char* kManager = "/user.slice/user-1000.slice/user@1000.service";

// As a user who owns nothing. Root gives its rights up for as long as this lives.
class AsStranger {
 public:
  AsStranger() : root_(::geteuid() == 0) {
    if (root_) REQUIRE(::seteuid(65534) == 0);
  }
  AsStranger(const AsStranger&) = delete;
  AsStranger& operator=(const AsStranger&) = delete;
  ~AsStranger() {
    if (root_) static_cast<void>(::seteuid(0));
  }

 private:
  bool root_;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("hierarchy: jails of root go below the mount, with the controllers that are offered") {
  const FakeTree tree;
  const Hierarchy found = tree.look_from("/user.slice/user-0.slice/session-1.scope");
  CHECK(found.layout == Layout::kUnified);
  CHECK(found.mount == tree.mount());
  CHECK(found.own == "/user.slice/user-0.slice/session-1.scope");
  CHECK(found.parent == tree.mount() + "/jaula");
  CHECK_FALSE(found.delegated);
  CHECK(found.controllers == Strings{"cpu", "memory", "pids", "io", "cpuset"});
  CHECK(found.problem.empty());
  CHECK(found.remedy.empty());
}

TEST_CASE("hierarchy: a root with the files of a child is a container's, and counts as delegated") {
  const FakeTree tree;
  tree.file("cgroup.events", "populated 1\nfrozen 0\n");
  const Hierarchy found = tree.look_from("/");
  CHECK(found.parent == tree.mount() + "/jaula");
  CHECK(found.delegated);
}

TEST_CASE("hierarchy: the nearest cgroup that is marked delegated takes the jails") {
  const FakeTree tree;
  const uid_t self = ::geteuid();
  tree.cgroup("system.slice", self);
  tree.cgroup("system.slice/outer.service", self);
  tree.cgroup("system.slice/outer.service/inner.scope", self);
  tree.cgroup("system.slice/outer.service/inner.scope/supervisor", self);
  if (!tree.mark_delegated("system.slice/outer.service") ||
      !tree.mark_delegated("system.slice/outer.service/inner.scope"))
    return;
  const Hierarchy found = tree.look_from("/system.slice/outer.service/inner.scope/supervisor");
  CHECK(found.parent == tree.at("system.slice/outer.service/inner.scope/jaula"));
  CHECK(found.delegated);
  CHECK(found.controllers == Strings{"cpu", "memory", "pids"});
}

TEST_CASE("hierarchy: what is delegated to another user is no place for jails of root") {
  if (::geteuid() != 0) return static_cast<void>(std::puts("SKIP: only root can give files away"));
  const FakeTree tree;
  tree.cgroup(kManager, kUser);
  if (!tree.mark_delegated(kManager)) return;
  CHECK(tree.look_from(kManager).parent == tree.mount() + "/jaula");
  CHECK(tree.look_from(kManager, kUser).parent == tree.mount() + kManager + "/jaula");
}

TEST_CASE("hierarchy: without the mark a user's subtree begins at the topmost directory it owns") {
  if (::geteuid() != 0) return static_cast<void>(std::puts("SKIP: only root can give files away"));
  const FakeTree tree;
  tree.cgroup("user.slice", 0);
  tree.cgroup(kManager, kUser);
  tree.cgroup(std::string(kManager) + "/app.slice", kUser);
  tree.cgroup(std::string(kManager) + "/app.slice/a.scope", kUser);
  const Hierarchy found = tree.look_from(std::string(kManager) + "/app.slice/a.scope", kUser);
  CHECK(found.parent == tree.mount() + kManager + "/jaula");
  CHECK(found.delegated);
}

TEST_CASE("hierarchy: a user without a delegated cgroup is told how to get one") {
  const FakeTree tree;
  tree.cgroup("user.slice", 0);
  tree.cgroup(kSession, 0);
  ::chmod(tree.mount().c_str(), 0555);
  const Sources sources = tree.sources(kSession, 4242);
  Hierarchy found;
  {
    const AsStranger stranger;
    found = look(sources);
  }
  ::chmod(tree.mount().c_str(), 0755);
  CHECK(found.parent.empty());
  CHECK(contains(found.problem, kSession));
  CHECK(contains(found.remedy, "systemd-run --user --scope -p Delegate=yes"));
  const Result<Fd> parent = prepare_parent(found);
  REQUIRE_FALSE(parent);
  CHECK(parent.error().text() == found.problem);
  CHECK(parent.error().hint_text() == found.remedy);
}

TEST_CASE("hierarchy: on a hybrid host each controller that v1 holds is named with its mount") {
  FakeTree tree;
  tree.file("cgroup.controllers", "hugetlb\n");
  tree.legacy_ = "4:memory:/\n2:cpu,cpuacct:/\n1:name=systemd:/\n";
  tree.mountinfo_ +=
      "35 31 0:32 / /v1/memory rw - cgroup cgroup rw,memory\n"
      "32 31 0:29 / /v1/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
  const Hierarchy found = tree.look_from("/");
  CHECK(found.layout == Layout::kHybrid);
  CHECK(found.parent == tree.mount() + "/jaula");
  CHECK(found.controllers.empty());
  CHECK(found.problem == "cgroup v2 at " + tree.mount() +
                             " does not offer cpu (bound to cgroup v1 at /v1/cpu,cpuacct), "
                             "memory (bound to cgroup v1 at /v1/memory), pids");
  CHECK(contains(found.remedy, "systemd.unified_cgroup_hierarchy=1"));
}

TEST_CASE("hierarchy: a controller that was not delegated is missed, and its manager named") {
  const FakeTree tree;
  tree.file("cgroup.events", "populated 1\n");
  tree.file("cgroup.controllers", "memory pids\n");
  const Hierarchy found = tree.look_from("/");
  CHECK_FALSE(found.has("cpu"));
  CHECK(found.has("memory"));
  CHECK(contains(found.problem, "does not offer cpu"));
  CHECK_FALSE(contains(found.problem, "memory"));
  CHECK(contains(found.remedy, "user@.service.d"));
}

TEST_CASE("hierarchy: without cgroup2 there is no parent, and the remedy fits what is mounted") {
  FakeTree tree;
  tree.mountinfo_ = "35 31 0:32 / /v1/memory rw - cgroup cgroup rw,memory\n";
  tree.legacy_ = "4:memory:/\n";
  const Hierarchy legacy = tree.look_from("/");
  CHECK(legacy.layout == Layout::kLegacy);
  CHECK(legacy.parent.empty());
  CHECK(contains(legacy.problem, "only cgroup v1"));
  tree.mountinfo_.clear();
  tree.legacy_.clear();
  const Hierarchy none = tree.look_from("/");
  CHECK(none.layout == Layout::kNone);
  CHECK(none.parent.empty());
  CHECK(contains(none.remedy, "mount -t cgroup2"));
}

TEST_CASE("hierarchy: a cgroup outside of our namespace is not looked for") {
  const FakeTree tree;
  for (const char* own : {"/../../init.scope", "", "x", "/a/b/"})
    CHECK_MESSAGE(tree.look_from(own).parent == tree.mount() + "/jaula", own);
}

TEST_CASE("parent: what is there and passes its controllers on is left as it is") {
  const FakeTree tree;
  std::filesystem::create_directory(tree.at("jaula"));
  tree.file("jaula/cgroup.subtree_control", "cpuset cpu io memory pids\n");
  tree.file("cgroup.subtree_control", "untouched");
  CHECK(prepare_parent(tree.look_from("/")));
  CHECK(tree.text("cgroup.subtree_control") == "untouched");
  CHECK(tree.text("jaula/cgroup.subtree_control") == "cpuset cpu io memory pids\n");
}

TEST_CASE("parent: a missing controller alone is switched on, above first") {
  const FakeTree tree;
  std::filesystem::create_directory(tree.at("jaula"));
  tree.file("jaula/cgroup.subtree_control", "cpu io memory pids\n");
  tree.file("cgroup.subtree_control", "cpu cpuset io memory\n");
  CHECK(prepare_parent(tree.look_from("/")));
  // An ordinary file keeps what one write from its beginning leaves.
  CHECK(tree.text("cgroup.subtree_control") == "+pidspuset io memory\n");
  CHECK(tree.text("jaula/cgroup.subtree_control") == "+cpusetmemory pids\n");
}

}  // namespace jaula::test

// The cgroup that jails go below: found, made and emptied on the machine's own cgroup2.
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/isolation/cgroup_ground.h"

namespace jaula::test {
namespace {

using namespace cgroup_ground;
using cgroups::Cgroup;
using cgroups::Hierarchy;

// Controllers for a directory below BASE, as long as this lives. Locked, for
// others may do the same to BASE at this moment.
class PassedOn {
 public:
  PassedOn(const std::string& base, const std::string& directory)
      : base_(sys::open(base.c_str(), kDirectory).value()),
        directory_(sys::open(directory.c_str(), kDirectory).value()) {
    REQUIRE(::flock(base_.get(), LOCK_EX) == 0);
    const std::string offered = " " + words("cgroup.controllers") + " ";
    const std::string before = " " + words(kControl) + " ";
    // Those that may be switched on beside processes stand first: they must not be.
    for (const std::string name : {"cpu", "pids", "memory", "hugetlb"}) {
      if (offered.find(" " + name + " ") == std::string::npos) continue;
      names_.push_back(name);
      if (before.find(" " + name + " ") == std::string::npos) added_.push_back(name);
    }
    for (const std::string& name : added_) REQUIRE(write(base_, "+" + name));
    for (const std::string& name : names_) REQUIRE(write(directory_, "+" + name));
  }
  PassedOn(const PassedOn&) = delete;
  PassedOn& operator=(const PassedOn&) = delete;
  ~PassedOn() {
    for (const std::string& name : names_) CHECK(write(directory_, "-" + name));
    for (const std::string& name : added_) {
      // EBUSY: something else on this machine has begun to pass it on meanwhile.
      const Result<void> undone = write(base_, "-" + name);
      CHECK((undone || undone.error().code() == EBUSY));
    }
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  static constexpr int kDirectory = O_RDONLY | O_DIRECTORY;
  static constexpr const char* kControl = "cgroup.subtree_control";
  [[nodiscard]] std::string words(const char* file) const {
    return std::string(trim(read_file_at(base_.get(), file).value()));
  }
  static Result<void> write(const Fd& directory, const std::string& text) {
    return sys::write_file_at(directory.get(), kControl, text);
  }
  Fd base_, directory_;
  std::vector<std::string> names_, added_;
};

bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

TEST_CASE("parent: it is made where it is missing, and found when it is there") {
  const Playground ground;
  if (!ground) return;
  const Hierarchy hierarchy{.mount = ground.mount(), .parent = ground.path() + "/jaula"};
  for (int round = 0; round < 2; ++round) {
    const Result<Fd> parent = prepare_parent(hierarchy);
    REQUIRE(parent);
    Result<Cgroup> jail = Cgroup::create(parent->get(), hierarchy.parent, "web");
    REQUIRE(jail);
    CHECK(jail->path() == ground.path() + "/jaula/web");
    CHECK(jail->remove());
  }
}

TEST_CASE("parent: a delegated cgroup with processes is emptied into a leaf beside the jails") {
  const Playground ground;
  if (!ground) return;
  const PassedOn controllers(ground.base(), ground.path());
  if (controllers.names().empty())
    return static_cast<void>(std::puts("SKIP: no controller in this cgroup2"));
  Cgroup scope = ground.make("scope");
  const Process one(scope);
  const Process two(scope);
  const Hierarchy hierarchy{.mount = ground.mount(),
                            .parent = scope.path() + "/jaula",
                            .delegated = true,
                            .controllers = controllers.names()};
  // The kernel refuses what prepare_parent is there to make possible.
  const Result<void> refused =
      sys::write_file_at(scope.fd(), "cgroup.subtree_control", "+" + controllers.names().back());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == EBUSY);

  const Result<Fd> parent = prepare_parent(hierarchy);
  REQUIRE_MESSAGE(parent, (parent ? "" : std::string(parent.error().text())));
  for (const Process* process : {&one, &two})
    CHECK(cgroup_of(process->pid()).ends_with("/scope/supervisor"));
  const Result<Cgroup> jail = Cgroup::create(parent->get(), hierarchy.parent, "web");
  REQUIRE(jail);
  const Process born(*jail);
  CHECK(split(trim(jail->read("cgroup.controllers").value()), ' ').size() ==
        controllers.names().size());
  REQUIRE(scope.kill());
  REQUIRE(scope.remove());
}

TEST_CASE("hierarchy: the root of a cgroup namespace counts as delegated") {
  const Playground ground;
  if (!ground) return;
  if (::geteuid() != 0) return static_cast<void>(std::puts("SKIP: only root may mount here"));
  const Cgroup box = ground.make("box");
  char directory[] = "/tmp/jaula-cgroup2-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const int failed = in_child([&] {
    if (!sys::write_file_at(box.fd(), "cgroup.procs", "0")) return 1;
    if (::unshare(CLONE_NEWCGROUP) != 0 || !own_mounts()) return 2;
    if (::mount("none", directory, "cgroup2", 0, nullptr) != 0) return 3;
    const Hierarchy found = cgroups::look({.conventional = directory});
    if (found.own != "/" || !found.delegated) return 4;
    return found.parent == std::string(directory) + "/jaula" ? 0 : 5;
  });
  CHECK(failed == 0);
  CHECK(::rmdir(directory) == 0);
}

TEST_CASE("hierarchy: a read-only cgroup2 has no place for jails, and says so") {
  const Playground ground;
  if (!ground) return;
  if (::geteuid() != 0) return static_cast<void>(std::puts("SKIP: only root may mount here"));
  const int failed = in_child([&] {
    if (!own_mounts()) return 1;
    constexpr unsigned long kReadOnly = MS_REMOUNT | MS_BIND | MS_RDONLY;
    if (::mount(nullptr, ground.mount().c_str(), nullptr, kReadOnly, nullptr) != 0) return 2;
    const Hierarchy found = cgroups::look();
    if (!found.parent.empty()) return 3;
    if (found.problem != "cgroup v2 is mounted read-only at " + ground.mount()) return 4;
    return found.remedy.starts_with("mount -o remount,rw " + ground.mount()) ? 0 : 5;
  });
  CHECK(failed == 0);
}

}  // namespace jaula::test

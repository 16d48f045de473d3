// A directory of ordinary files that looks like cgroupfs.
#pragma once

#include <doctest/doctest.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "cgroups/cgroup.h"
#include "cgroups/hierarchy.h"
#include "runtime/base/file.h"

namespace jaula::test {

// Found through mountinfo alone: the type of its file system is not that of cgroup2.
class FakeTree {
 public:
  FakeTree() {
    char path[] = "/tmp/jaula-cgroups-XXXXXX";
    root_ = ::mkdtemp(path);
    ::chmod(path, 0755);
    ::mkdir(mount().c_str(), 0755);
    file("cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
    mountinfo_ = "31 23 0:28 / " + mount() + " rw,relatime - cgroup2 cgroup2 rw\n";
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  ~FakeTree() {
    const auto remove_one = [](const char* path, const struct stat*, int, FTW*) {
      return ::remove(path);
    };
    ::nftw(root_.c_str(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
  }

  [[nodiscard]] std::string mount() const { return root_ + "/cgroup"; }
  [[nodiscard]] std::string at(const std::string& path) const { return mount() + "/" + path; }
  void file(const std::string& path, const std::string& text) const {
    std::ofstream(at(path)) << text;
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    return read_file(at(path)).value();
  }
  // Makes a cgroup for `owner`; only root can give it to another.
  void cgroup(const std::string& path, uid_t owner) const {
    REQUIRE(make_directories(at(path), 0755));
    file(path + "/cgroup.controllers", "cpu memory pids\n");
    if (::geteuid() == 0) REQUIRE(::chown(at(path).c_str(), owner, owner) == 0);
  }
  // False where the file system under /tmp has no such attributes.
  [[nodiscard]] bool mark_delegated(const std::string& path) const {
    const char* name = ::geteuid() == 0 ? "trusted.delegate" : "user.delegate";
    if (::setxattr(at(path).c_str(), name, "1", 1, 0) == 0) return true;
    std::puts("SKIP: no extended attributes on /tmp to mark a delegated cgroup with");
    return false;
  }
  [[nodiscard]] cgroups::Sources sources(const std::string& own, uid_t user = ::geteuid()) const {
    std::ofstream(root_ + "/mountinfo") << mountinfo_;
    std::ofstream(root_ + "/own") << legacy_ << "0::" << own << "\n";
    return {.conventional = {},
            .mountinfo = root_ + "/mountinfo",
            .own_cgroup = root_ + "/own",
            .user = user};
  }
  [[nodiscard]] cgroups::Hierarchy look_from(const std::string& own,
                                             uid_t user = ::geteuid()) const {
    return cgroups::look(sources(own, user));
  }

  std::string mountinfo_;
  std::string legacy_;

 private:
  std::string root_;
};

}  // namespace jaula::test

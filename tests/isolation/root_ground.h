// A root to mount on, in a mount namespace of the test's, and trees to mount there.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "isolation/root_path.h"
#include "tests/isolation/inside.h"

namespace jaula::test {

// A tmpfs that is attached nowhere, with a file that says which it is.
inline Fd make_tree(const std::string& name) {
  const Fd context = sys::fsopen("tmpfs").value();
  Fd tree = sys::fsmount(context.get(), "tmpfs", 0).value();
  const Fd mark = sys::openat(tree.get(), "mark", O_WRONLY | O_CREAT, 0644).value();
  sys::write_all(mark.get(), name, "mark").value();
  return tree;
}

inline Fd copy_of(const std::string& path) {
  return sys::clone_tree(AT_FDCWD, path.c_str(), 0).value();
}

// In the child: a directory of a tmpfs to be the root, its descriptor, and what a walk made of it.
class Ground {
 public:
  explicit Ground(const Scratch& scratch) : path_(scratch / "root") {
    if (::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "mode=0755") < 0) throw errno;
    std::filesystem::create_directory(path_);
    directory_ = sys::open(path_.c_str(), O_PATH | O_DIRECTORY).value();
    ::umask(0);
  }
  [[nodiscard]] int fd() const { return directory_.get(); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  [[nodiscard]] std::string mark(const std::string& directory) const {
    const std::string bytes = file_bytes(*this / directory + "/mark");
    return directory + ": " + (bytes.empty() ? "nothing" : bytes) + "\n";
  }
  [[nodiscard]] long mounts() const {
    const std::string table = file_bytes("/proc/self/mountinfo");
    return std::count(table.begin(), table.end(), '\n');
  }

 private:
  std::string path_;
  Fd directory_;
};

}  // namespace jaula::test

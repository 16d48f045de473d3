// File systems that a walk holds on to, whoever renames the directories above them meanwhile.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/isolation/root_ground.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::MountPointKind;
using isolation::RootWalk;

}  // namespace

TEST_CASE("anchor: a file system is found again when the directory above it was renamed") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    RootWalk walk(root.fd());
    std::string text = outcome(walk.mount_and_anchor("host/proc", make_tree("ours")));
    fs::rename(root / "host", root / "moved");
    fs::create_directories(root / "host/proc/sys");
    put_file(root / "host/proc/secret", "");
    text += outcome(walk.make_directory("host/proc/sys", 0755));
    text += outcome(walk.mount("host/proc/sys", MountPointKind::kDirectory, make_tree("on").get()));
    text += outcome(walk.cover("host/proc/mark", copy_of(root / "host/proc/secret").get()));
    text += root.mark("moved/proc/sys") + root.mark("host/proc/sys") + root.mark("moved/proc");
    // The control: a walk that holds on to nothing ends where the name leads.
    RootWalk other(root.fd());
    text += outcome(other.find("host/proc/secret"));
    return text + outcome(walk.find("host/proc/secret"));
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\nfine\nfine\nfine\n"
           "moved/proc/sys: on\nhost/proc/sys: nothing\nmoved/proc: nothing\n"
           "fine\nopen secret: No such file or directory\n");
}

TEST_CASE("anchor: the nearest file system above a place is where its walk begins") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    RootWalk walk(root.fd());
    std::string text;
    for (const char* path : {"covered", "dev", "device", "dev/a/pts"})
      text += outcome(walk.mount_and_anchor(path, make_tree(path)));
    // The last one takes the room of the one that is let go of, and stands before "dev" then.
    text += outcome(walk.mount("covered", MountPointKind::kDirectory, make_tree("on").get()));
    fs::rename(root / "dev/a", root / "dev/b");
    fs::create_directories(root / "dev/a/pts");
    for (const char* path : {"dev/x", "dev/a/pts/x", "dev/a/pts/y/z", "device/x", "devices/x"})
      text += outcome(walk.make_file(path, 0644));
    for (const char* path :
         {"dev/x", "dev/a/pts/x", "dev/a/pts/y/z", "device/x", "devices/x", "dev/b/pts/x"})
      text += fs::exists(root / path) ? "there\n" : "not there\n";
    return text;
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\nfine\nfine\nfine\nfine\n"
           "fine\nfine\nfine\nfine\nfine\n"
           "there\nnot there\nnot there\nthere\nthere\nthere\n");
}

TEST_CASE("anchor: a file system that is covered is let go of, for it is not what the jail sees") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    RootWalk walk(root.fd());
    std::string text;
    for (const char* path : {"proc", "dev", "dev/pts", "dev/shm"})
      text += outcome(walk.mount_and_anchor(path, make_tree(path)));
    for (const char* path : {"proc", "dev"})
      text += outcome(walk.mount(path, MountPointKind::kDirectory, make_tree("theirs").get()));
    for (const char* path : {"proc/sys", "dev/pts", "dev/shm/x"}) {
      text += outcome(walk.mount(path, MountPointKind::kDirectory, make_tree("on").get()));
      text += root.mark(path);
    }
    return text;
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\nfine\nfine\nfine\nfine\nfine\n"
           "fine\nproc/sys: on\nfine\ndev/pts: on\nfine\ndev/shm/x: on\n");
}

TEST_CASE("anchor: more file systems than can be held on to are an error") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    std::vector<std::string> paths;
    for (int i = 0; i <= 128; ++i) paths.push_back("m" + std::to_string(i));
    RootWalk walk(root.fd());
    for (int i = 0; i < 128; ++i) {
      const Result<void> mounted =
          walk.mount_and_anchor(paths[static_cast<std::size_t>(i)].c_str(), make_tree("m"));
      if (!mounted) return outcome(mounted);
    }
    return outcome(walk.mount_and_anchor(paths.back().c_str(), make_tree("m")));
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "hold on to a file system more on m128: Argument list too long\n"
           "  a jail can have 128 of its own\n");
}

}  // namespace jaula::test

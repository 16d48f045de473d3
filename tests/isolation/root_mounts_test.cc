// Mounting on places of a root, as the kernel then has them: in a mount namespace of the test's.
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <string>

#include "tests/isolation/root_ground.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::MountPointKind;
using isolation::RootWalk;

void make_socket(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    throw errno;
}

}  // namespace

TEST_CASE("mount point: one that is missing is made, empty, with the directories above it") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    put_file(root / "source", "a file");
    RootWalk walk(root.fd());
    std::string text =
        outcome(walk.mount("srv/a/data", MountPointKind::kDirectory, make_tree("data").get()));
    text += outcome(walk.mount("etc/conf", MountPointKind::kFile, copy_of(root / "source").get()));
    text += root.mark("srv/a/data") + file_bytes(root / "etc/conf") + "\n";
    // What is under them.
    ::umount2((root / "srv/a/data").c_str(), MNT_DETACH);
    ::umount2((root / "etc/conf").c_str(), MNT_DETACH);
    for (const char* path : {"srv", "srv/a", "srv/a/data", "etc/conf"}) {
      struct stat info {};
      ::lstat((root / path).c_str(), &info);
      char line[64];
      std::snprintf(line, sizeof line, "%s %o\n", path, info.st_mode);
      text += line;
    }
    return text;
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\nfine\nsrv/a/data: data\na file\n"
           "srv 40755\nsrv/a 40755\nsrv/a/data 40755\netc/conf 100644\n");
}

TEST_CASE("mount point: what is there must be of its kind, and no link, FIFO, socket or device") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    fs::create_directory(root / "directory");
    put_file(root / "file", "");
    put_file(root / "device", "");
    fs::create_directory_symlink("directory", root / "link");
    fs::create_symlink("nowhere", root / "dangling");
    ::mkfifo((root / "fifo").c_str(), 0600);
    make_socket(root / "socket");
    sys::move_mount(copy_of("/dev/null").get(), root.fd(), "device").value();
    RootWalk walk(root.fd());
    const long before = root.mounts();
    std::string text;
    for (const char* path : {"file", "link", "dangling", "fifo", "socket", "device"})
      text += outcome(walk.mount(path, MountPointKind::kDirectory, make_tree("x").get()));
    for (const char* path : {"directory", "link", "dangling", "fifo", "socket", "device"})
      text += outcome(walk.mount(path, MountPointKind::kFile, copy_of(root / "file").get()));
    return text + std::to_string(root.mounts() - before) + " were mounted\n";
  });
  if (!seen) return;
  const std::string link = "  name the place it points to, or remove the link\n";
  const std::string directories =
      " in the root: Not a directory\n"
      "  a directory mounts on a directory\n";
  const std::string files =
      " in the root: Invalid argument\n"
      "  a file mounts on a regular file\n";
  const std::string links = "the target /link is a link in the root\n" + link +
                            "the target /dangling is a link in the root\n" + link;
  CHECK_EQ(*seen, "the target /file is a file" + directories + links +  //
                      "the target /fifo is a FIFO" + directories +      //
                      "the target /socket is a socket" + directories +  //
                      "the target /device is a device" + directories +  //
                      "the target /directory is a directory" + files + links +
                      "the target /fifo is a FIFO" + files +      //
                      "the target /socket is a socket" + files +  //
                      "the target /device is a device" + files + "0 were mounted\n");
}

TEST_CASE("mount point: a link on the way leads to a place inside the root") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    fs::create_directories(root / "inside/data");
    fs::create_directories(scratch / "inside/data");
    fs::create_directory_symlink("../inside", root / "up");
    fs::create_directory_symlink("/inside", root / "absolute");
    RootWalk walk(root.fd());
    std::string text =
        outcome(walk.mount("up/data", MountPointKind::kDirectory, make_tree("one").get()));
    text += root.mark("inside/data");
    text +=
        outcome(walk.mount("absolute/data", MountPointKind::kDirectory, make_tree("two").get()));
    return text + root.mark("inside/data");
  });
  if (!seen) return;
  CHECK_EQ(*seen, "fine\ninside/data: one\nfine\ninside/data: two\n");
}

TEST_CASE("mount point: a directory that was walked to is walked to anew once it is covered") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    RootWalk walk(root.fd());
    std::string text = outcome(walk.make_file("a/b/before", 0644));
    text += outcome(walk.mount("a", MountPointKind::kDirectory, make_tree("a").get()));
    text += outcome(walk.make_file("a/b/after", 0644));
    for (const char* name : {"a/b/before", "a/b/after"})
      text += fs::exists(root / name) ? "there\n" : "not there\n";
    ::umount2((root / "a").c_str(), MNT_DETACH);
    return text + (fs::exists(root / "a/b/after") ? "under the mount\n" : "in the mount\n");
  });
  if (!seen) return;
  CHECK_EQ(*seen, "fine\nfine\nfine\nnot there\nthere\nin the mount\n");
}

TEST_CASE(
    "cover: a missing place is ENOENT, one of another kind EINVAL, a link is covered itself") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const Ground root(scratch);
    fs::create_directory(root / "directory");
    put_file(root / "directory/mark", "directory");
    put_file(root / "file", "file");
    put_file(root / "cover", "cover");
    fs::create_symlink("file", root / "link");
    RootWalk walk(root.fd());
    std::string text;
    const auto file = [&](const char* path) {
      text += outcome(walk.cover(path, copy_of(root / "cover").get()));
    };
    const auto directory = [&](const char* path) {
      text += outcome(walk.cover(path, make_tree("cover").get()));
    };
    file("missing");
    directory("missing/below");
    file("directory");
    directory("file");
    directory("directory");
    file("link");
    text += root.mark("directory") + file_bytes(root / "file") + "\n" + file_bytes(root / "link");
    return text + (fs::is_symlink(root / "link") ? " by a link" : " itself");
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "attach mount missing: No such file or directory\n"
           "open missing: No such file or directory\n"
           "attach mount directory: Invalid argument\nattach mount file: Invalid argument\n"
           "fine\nfine\ndirectory: cover\nfile\ncover itself");
}

}  // namespace jaula::test

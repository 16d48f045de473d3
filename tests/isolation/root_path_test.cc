// Walks in a root that means ill: its links, its `..`, and what stands where a file is to be.
#include "isolation/root_path.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::open_in_root;
using isolation::RootWalk;

Fd open_directory(const std::string& path) {
  return sys::open(path.c_str(), O_PATH | O_DIRECTORY).value();
}

std::string mode_of(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) return "none";
  char text[16];
  std::snprintf(text, sizeof text, "%04o", info.st_mode & 07777);
  return text;
}

// A root with a secret beside it that must not be reached: SCRATCH/root and SCRATCH/vault/secret.
// Links name what no machine has: a walk that is broken must not write to a file of the machine.
class Ground {
 public:
  Ground() {
    for (const char* directory : {"vault", "root/vault", "root/srv"})
      fs::create_directories(scratch_ / directory);
    put_file(scratch_ / "vault/secret", "outside");
    put_file(root("vault/secret"), "inside");
  }
  [[nodiscard]] std::string root(const std::string& path = "") const {
    return scratch_ / "root/" + path;
  }
  [[nodiscard]] std::string outside(const std::string& path) const { return scratch_ / path; }
  void link(const std::string& path, const std::string& text) const {
    fs::create_symlink(text, root(path));
  }
  // The bytes of the file that a walk finds, or why it found none.
  [[nodiscard]] std::string read(const char* path) const {
    const Fd directory = open_directory(root());
    const Result<Fd> file = open_in_root(directory.get(), path, O_RDONLY);
    if (!file) return said(file);
    std::string bytes(64, '\0');
    bytes.resize(static_cast<std::size_t>(std::max(::read(file->get(), bytes.data(), 64), 0L)));
    return bytes;
  }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("root path: no link and no `..` leads out of the root") {
  const Ground ground;
  const std::string absolute = ground.outside("vault/secret");
  ground.link("absolute", "/vault/secret");
  ground.link("upwards", "../../../../../../vault/secret");
  ground.link("chain", "srv/next");
  ground.link("srv/next", "../absolute");
  ground.link("directory", "/vault");
  ground.link("above", "..");
  ground.link("beside", absolute);
  ground.link("loop", "loop");
  for (const char* path :
       {"vault/secret", "/vault/secret", "../vault/secret", "srv/../../../vault/secret", "absolute",
        "upwards", "chain", "directory/secret", "above/above/vault/secret"}) {
    CAPTURE(path);
    CHECK_EQ(ground.read(path), "inside");
  }
  CHECK_EQ(ground.read("beside"), "open beside: No such file or directory");
  CHECK_EQ(ground.read("loop"), "open loop: Too many levels of symbolic links");
  CHECK_EQ(ground.read(""), "open : No such file or directory");
  // The control: the same link is followed out by an ordinary open.
  CHECK_EQ(file_bytes(ground.root("beside")), "outside");
}

TEST_CASE("root path: a magic link of procfs is refused") {
  const Fd proc = open_directory("/proc");
  const std::string own = "self/fd/" + std::to_string(proc.get());
  for (const std::string& path : {std::string("self/root"), std::string("self/cwd"),
                                  std::string("self/exe"), own, own + "/version"}) {
    CAPTURE(path);
    CHECK(sys::openat(proc.get(), path.c_str(), O_PATH));
    const Result<Fd> opened = open_in_root(proc.get(), path.c_str(), O_PATH);
    REQUIRE_FALSE(opened);
    CHECK_EQ(opened.error().code(), ELOOP);
  }
  CHECK(open_in_root(proc.get(), "self/status", O_RDONLY));
}

TEST_CASE("root path: a directory gets its mode, those made on the way 0755, one there keeps its") {
  const Ground ground;
  fs::permissions(ground.root("srv"), fs::perms(0711));
  const auto seen = inside(0, [&] {
    ::umask(0);
    const Fd directory = open_directory(ground.root());
    RootWalk walk(directory.get());
    return in_order({outcome(walk.make_directory("srv/a/b/c", 01777)),
                     outcome(walk.make_directory("top", 0700)),
                     outcome(walk.make_directory("srv", 0700))});
  });
  REQUIRE(seen);
  CHECK_EQ(*seen, "fine\nfine\nfine\n");
  CHECK_EQ(mode_of(ground.root("srv")), "0711");
  CHECK_EQ(mode_of(ground.root("srv/a")), "0755");
  CHECK_EQ(mode_of(ground.root("srv/a/b")), "0755");
  CHECK_EQ(mode_of(ground.root("srv/a/b/c")), "1777");
  CHECK_EQ(mode_of(ground.root("top")), "0700");
}

TEST_CASE("root path: what a link on the way names is made inside the root, or not at all") {
  const Ground ground;
  ground.link("out", "../vault");
  ground.link("dangling", "/nowhere");
  const Fd directory = open_directory(ground.root());
  RootWalk walk(directory.get());
  CHECK_EQ(said(walk.make_directory("out/made", 0755)), "");
  CHECK_EQ(said(walk.make_link("out/link", "text")), "");
  CHECK(fs::is_directory(ground.root("vault/made")));
  CHECK_EQ(fs::read_symlink(ground.root("vault/link")), "text");
  CHECK_EQ(said(walk.make_directory("dangling/made", 0755)),
           "open dangling: No such file or directory");
  CHECK_EQ(said(walk.make_directory("vault/secret/made", 0755)),
           "open vault/secret/made: Not a directory");
  CHECK_EQ(std::distance(fs::directory_iterator(ground.outside("vault")), {}), 1);
  CHECK_FALSE(fs::exists(ground.root("nowhere")));
}

TEST_CASE("root path: a link is made once, with the directories above it") {
  const Ground ground;
  const Fd directory = open_directory(ground.root());
  RootWalk walk(directory.get());
  CHECK_EQ(said(walk.make_link("var/run", "../run")), "");
  CHECK_EQ(fs::read_symlink(ground.root("var/run")), "../run");
  CHECK_EQ(said(walk.make_link("var/run", "/vault")), "make link run: File exists");
  CHECK_EQ(fs::read_symlink(ground.root("var/run")), "../run");
}

TEST_CASE("root path: a target may be as deep as a path can be, and no deeper") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    if (::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, nullptr) < 0) return std::string();
    const Fd directory = open_directory(scratch.path());
    RootWalk walk(directory.get());
    std::string path = "d";
    while (path.size() + 2 < 4096) path += "/d";  // PATH_MAX, with the zero at the end
    std::string text = std::to_string(path.size()) + "\n";
    text += outcome(walk.make_directory(path.c_str(), 0755));
    text += outcome(walk.find(path.c_str()));
    const Result<void> deeper = walk.make_directory((path + "/d").c_str(), 0755);
    text += deeper ? "deeper" : deeper.error().reason();
    const Result<Fd> longer = walk.find(std::string(300, 'x').c_str());
    return text + "\n" + std::string(longer ? "longer" : longer.error().reason());
  });
  if (!seen) return;
  CHECK_EQ(*seen, "4095\nfine\nfine\nFile name too long\nFile name too long");
}

TEST_CASE("root path: a file is made with its mode, and takes the place of one that is there") {
  const Ground ground;
  put_file(ground.root("srv/old"), "old");
  const auto seen = inside(0, [&] {
    ::umask(0);
    const Fd directory = open_directory(ground.root());
    RootWalk walk(directory.get());
    std::string text;
    for (const char* path : {"run/new", "srv/old"}) {
      const Result<Fd> file = walk.make_file(path, 0640);
      text += file ? outcome(sys::write_all(file->get(), path, path)) : outcome(file);
    }
    return text;
  });
  REQUIRE(seen);
  CHECK_EQ(*seen, "fine\nfine\n");
  for (const char* path : {"run/new", "srv/old"}) CHECK_EQ(mode_of(ground.root(path)), "0640");
  CHECK_EQ(file_bytes(ground.root("run/new")), "run/new");
  CHECK_EQ(file_bytes(ground.root("srv/old")), "srv/old");
}

TEST_CASE("root path: a file that is made takes the place of a link or FIFO, opening neither") {
  const Ground ground;
  ground.link("link", "/vault/secret");
  ground.link("dangling", "made");
  REQUIRE_EQ(::mkfifo(ground.root("fifo").c_str(), 0600), 0);
  const Fd reader = sys::open(ground.root("fifo").c_str(), O_RDONLY | O_NONBLOCK).value();
  const Fd directory = open_directory(ground.root());
  RootWalk walk(directory.get());
  for (const char* path : {"link", "dangling", "fifo"}) {
    const Result<Fd> file = walk.make_file(path, 0644);
    REQUIRE(file);
    CHECK(sys::write_all(file->get(), "ours", path));
    CHECK(fs::is_regular_file(fs::symlink_status(ground.root(path))));
  }
  char byte;
  CHECK_EQ(::read(reader.get(), &byte, 1), 0);
  CHECK_EQ(said(walk.make_file("srv", 0644)), "place a file at /srv: Is a directory");
  CHECK_EQ(file_bytes(ground.root("vault/secret")), "inside");
  CHECK_FALSE(fs::exists(ground.root("made")));
}

TEST_CASE("root path: a search finds a link itself, and says ENOENT for what is not there") {
  const Ground ground;
  ground.link("link", "vault");
  const Fd directory = open_directory(ground.root());
  RootWalk walk(directory.get());
  const Result<Fd> link = walk.find("link");
  REQUIRE(link);
  CHECK(S_ISLNK(sys::fstat(link->get()).value().st_mode));
  CHECK_EQ(said(walk.find("link/secret")), "");
  for (const char* path : {"missing", "missing/below", "vault/missing"})
    CHECK_EQ(walk.find(path).error().code(), ENOENT);
}

}  // namespace jaula::test

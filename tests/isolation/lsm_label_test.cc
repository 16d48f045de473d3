// Labels go to the kernel's own procfs, through no link or mount, or nowhere. No module is needed:
// `comm` of a process is written to as `attr/exec` is, and shows what arrived.
#include "isolation/lsm_label.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "isolation/mounts.h"
#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::LsmLabel;

std::string name() { return file_bytes("/proc/thread-self/comm"); }

std::string applied(int proc, const std::string& file) {
  return outcome(
      isolation::apply({{.file = file, .text = "labelled", .origin = "web.yaml:5:16"}}, proc));
}

Fd directory(const std::string& path) {
  return sys::open(path.c_str(), O_PATH | O_DIRECTORY).value();
}

}  // namespace

TEST_CASE("label: it is written to the process's own directory of a procfs that is not attached") {
  const auto seen = inside(CLONE_NEWNS, [] {
    const Fd proc = isolation::make_proc().value();
    const std::string text = applied(proc.get(), "comm");
    return text + name();
  });
  if (!seen) return;
  CHECK_EQ(*seen, "fine\nlabelled\n");
}

TEST_CASE("label: what is no procfs, or not its root, is not written to") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    const std::string pid = std::to_string(::getpid());
    const std::string fake = scratch / "proc";
    fs::create_directories(fake + "/" + pid);
    put_file(fake + "/" + pid + "/comm", "untouched");
    std::string text = applied(directory(fake).get(), "comm");
    text += file_bytes(fake + "/" + pid + "/comm") + "\n";
    return text + applied(directory("/proc/sys").get(), "comm");
  });
  if (!seen) return;
  const std::string refused = "what is on /proc is not the root of a procfs\n";
  CHECK_EQ(*seen, refused + "untouched\n" + refused);
}

TEST_CASE("label: a link or a mount below the procfs is not followed") {
  const Scratch scratch;
  const auto seen = inside(CLONE_NEWNS, [&] {
    put_file(scratch / "file", "untouched");
    const std::string before = name();
    const std::string own = "/proc/" + std::to_string(::getpid());
    if (::mount((scratch / "file").c_str(), (own + "/comm").c_str(), nullptr, MS_BIND, nullptr) < 0)
      throw errno;
    const Fd proc = directory("/proc");
    std::string text = applied(proc.get(), "comm");
    text += applied(proc.get(), "cwd/comm");
    text += file_bytes(scratch / "file") + "\n";
    ::umount2((own + "/comm").c_str(), MNT_DETACH);
    return text + (name() == before ? "the name stayed\n" : "the name changed\n");
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "web.yaml:5:16: labelled: open comm: Invalid cross-device link\n"
           "web.yaml:5:16: labelled: open cwd/comm: Too many levels of symbolic links\n"
           "untouched\nthe name stayed\n");
}

TEST_CASE("label: without one nothing is looked at") {
  CHECK(isolation::apply(std::vector<LsmLabel>{}, -1));
}

}  // namespace jaula::test

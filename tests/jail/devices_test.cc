// `devices`, as the payload meets them: what is there, what may be done with it, and what is not
// taken for a device.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

bool have_root() {
  if (::geteuid() == 0) return true;
  skip("a program is attached to a cgroup by root alone");
  return false;
}

Words with_device(const std::string& device, Words more = {}) {
  more.insert(more.begin(), {"--device", device});
  return more;
}

Words of_the_host(Words more) {
  more.insert(more.begin(), {"--userns", "host"});
  return more;
}

// What opening it for reading, for writing and for both says.
std::string opened(const Jails& jails, const std::string& path, const Words& options) {
  std::string text;
  for (const char* how : {"r", "w", "rw"}) {
    const Ran ran = jails.probe({"open", path, how}, options);
    text += (text.empty() ? "" : " ") + ran.out.substr(0, ran.out.find('\n')) + ran.err;
  }
  return text;
}

}  // namespace

TEST_CASE("devices: one of the host is there under its name, or under another, and works") {
  const Jails jails;
  CHECK_EQ(jails.probe({"put", "/dev/mine/full", "x"}, with_device("/dev/full:/dev/mine/full")).out,
           "ENOSPC\n");
  CHECK_EQ(opened(jails, "/data/zero", with_device("/dev/zero:/data/zero")), "ok ok ok");
  const Words autofs = with_device("/dev/autofs");
  if (fs::exists("/dev/autofs"))
    CHECK(contains(jails.probe({"list", "/dev"}, autofs).out, "autofs\n"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("devices: with a part of rwm, the kernel refuses the rest, in exec too") {
  if (!have_root()) return;
  const Jails jails;
  CHECK_EQ(opened(jails, "/dev/mine", with_device("/dev/full:/dev/mine:r")), "ok EPERM EPERM");
  CHECK_EQ(opened(jails, "/dev/mine", with_device("/dev/full:/dev/mine:w")), "EPERM ok EPERM");
  CHECK_EQ(opened(jails, "/dev/mine", with_device("/dev/full:/dev/mine:rw")), "ok ok ok");
  // The spec's word is on the device, whatever names it has; the other default ones stay.
  CHECK_EQ(opened(jails, "/dev/full", with_device("/dev/full:/dev/mine:r")), "ok EPERM EPERM");
  CHECK_EQ(opened(jails, "/dev/null", with_device("/dev/full:/dev/mine:r")), "ok ok ok");

  const std::string name = jails.name("exec");
  jails.start(name, {"await", "TERM"}, with_device("/dev/full:/dev/mine:r"));
  CHECK_EQ(jails.jaula({"exec", name, "probe", "open", "/dev/mine", "w"}).out, "EPERM\n");
  CHECK_EQ(jails.jaula({"exec", name, "probe", "open", "/dev/mine", "r"}).out, "ok\n");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("devices: a jail that can make nodes can use those alone that it was given") {
  if (!have_root()) return;
  const Jails jails;
  const Words maker = of_the_host({"--cap-add", "MKNOD", "--seccomp", "unconfined"});
  // 1:3 is null, 1:11 the kernel's log.
  CHECK_EQ(jails.probe({"mknod", "/dev/null2", "1:3"}, maker).out, "ok\n");
  CHECK_EQ(jails.probe({"mknod", "/dev/kmsg", "1:11"}, maker).out, "EPERM\n");
  CHECK_EQ(jails.probe({"mknod", "/dev/kmsg", "1:11"}, of_the_host({"--privileged"})).out, "ok\n");
  // A machine may lack /dev/kmsg.
  const std::string log = jails.scratch() / "log";
  if (::mknod(log.c_str(), S_IFCHR | 0600, makedev(1, 11)) != 0) return skip("no node can be made");
  Words given = with_device(log + ":/dev/log2:rw", maker);
  CHECK_EQ(jails.probe({"mknod", "/dev/kmsg", "1:11"}, given).out, "EPERM\n");
  given = with_device(log + ":/dev/log2:m", maker);
  CHECK_EQ(jails.probe({"mknod", "/dev/kmsg", "1:11"}, given).out, "ok\n");
  CHECK_EQ(opened(jails, "/dev/log2", given), "EPERM EPERM EPERM");
}

TEST_CASE("devices: what is no device is refused at its line, and nothing is made") {
  const Jails jails;
  const std::string scratch = jails.scratch().path();
  put_file(scratch + "/file", "");
  fs::create_symlink("/dev/null", scratch + "/link");
  REQUIRE_EQ(::mkfifo((scratch + "/fifo").c_str(), 0600), 0);
  for (const auto& [source, text] :
       {std::pair{scratch, std::string(" is a directory, not a device")},
        std::pair{scratch + "/file", std::string(" is a file, not a device")},
        std::pair{scratch + "/link", std::string(" is a link, not a device")},
        std::pair{scratch + "/fifo", std::string(" is a FIFO, not a device")},
        std::pair{scratch + "/none", std::string(": No such file or directory")}}) {
    put_file(jails.scratch() / "web.yaml", "services:\n  web:\n    rootfs: " + jails.root() +
                                               "\n    command: [probe, 'true']\n" +
                                               "    devices: ['" + source + ":/dev/mine']\n");
    const Ran ran = jails.jaula({"run", jails.scratch() / "web.yaml"});
    CAPTURE(ran.err);
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, "web.yaml:5:15: services.web.devices[0]: "));
    CHECK(contains(ran.err, source + text));
    CHECK_FALSE(fs::exists(jails.root() + "/dev/mine"));
    CHECK_EQ(jails.left_behind(), "");
  }
}

TEST_CASE("devices: a target that is a device, a link or a directory already is refused") {
  const Jails jails;
  fs::create_directory_symlink("/tmp", jails.root() + "/link");
  for (const auto& [target, text] :
       {std::pair{"/dev/null", "the target /dev/null is a device in the root"},
        std::pair{"/dev/fd", "the target /dev/fd is a link in the root"},
        std::pair{"/link", "the target /link is a link in the root"},
        std::pair{"/etc", "the target /etc is a directory in the root"}}) {
    const Ran ran = jails.probe({"true"}, with_device(std::string("/dev/zero:") + target));
    CAPTURE(ran.err);
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, text));
  }
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

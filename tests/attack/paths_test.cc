// Rule: below the root's descriptor nothing leads outside, whatever lies or is swapped there.
#include <sys/stat.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

std::string mounts_of(pid_t pid) {
  return file_bytes("/proc/" + std::to_string(pid) + "/mountinfo");
}

// The directory of the root becomes a link to the one outside.
void swap_for_link(const Ground& ground, const std::string& name) {
  fs::rename(ground.root() + "/" + name, ground.root() + "/" + name + ".old");
  fs::create_directory_symlink(ground.outside(), ground.root() + "/" + name);
}

}  // namespace

TEST_CASE(
    "paths: a link on the way to a mount point makes nothing outside (CVE-2015-1335, "
    "CVE-2015-3629)") {
  const Ground ground;
  Attack attack;
  fs::create_directory_symlink(ground.outside(), ground.root() + "/data");
  const Words options = {"-v", ground.root() + ":/data/inner:ro"};
  ground.probe({"true"}, options);
  attack.held(ground.names_outside() == "secret", ground.names_outside());
  ground.without("walk inside the root").probe({"true"}, options);
  attack.control(ground.names_outside() == "inner secret", ground.names_outside());
  if (!have_peer("bwrap")) return;
  // While bubblewrap makes its mount points, the host lies on /oldroot.
  fs::create_directory_symlink("/oldroot" + ground.outside(), ground.root() + "/old");
  const Ran ran =
      run(bubblewrap(ground, {"--ro-bind", ground.root(), "/old/peer"}, {"/bin/probe", "true"}));
  attack.peer("bwrap", ground.names_outside() == "inner peer secret",
              ground.names_outside() + ran.err);
}

TEST_CASE(
    "paths: /proc, /dev and /sys that are links are refused and lead nowhere (CVE-2019-19921, "
    "CVE-2023-27561, CVE-2023-28642)") {
  for (const std::string name : {"proc", "dev", "sys"}) {
    const Ground ground;
    Attack attack;
    fs::create_directory_symlink(ground.outside(), ground.root() + "/" + name);
    const Ran refused = ground.probe({"true"});
    attack.held(refused.code == 125 && contains(refused.err, "is a link in the root"), refused.err);
    attack.held(ground.names_outside() == "secret", ground.names_outside());

    // The last of the mounts, when all others are there.
    const Words words = {"run",   "-v",  ground.root() + ":/last", ground.root(), "--",
                         "probe", "true"};
    const Stopped stopped(ground, "no link as a target", "attach last", words);
    REQUIRE(stopped.wait());
    const std::string mounts = mounts_of(stopped.child());
    attack.control(contains(mounts, " " + ground.outside() + " "), mounts);
  }
}

TEST_CASE(
    "paths: a directory swapped for a link between the walk and the mount takes no mount outside "
    "(CVE-2021-30465)") {
  Attack attack;
  const auto lands_outside = [](const std::string& without, std::string& seen) {
    const Ground ground;
    fs::create_directories(ground.root() + "/a/data");
    fs::create_directory(ground.outside() + "/data");
    const std::string source = ground.root() + "/bin";
    const Stopped stopped(ground, without, "attach a/data,attach z/last",
                          {"run", "--ephemeral=false", "-v", source + ":/a/data", "-v",
                           source + ":/z/last", ground.root(), "--", "probe", "true"});
    REQUIRE(stopped.wait());
    swap_for_link(ground, "a");
    stopped.go_on();
    REQUIRE(stopped.wait());
    seen = mounts_of(stopped.child());
    return contains(seen, " " + ground.outside() + "/data ");
  };
  std::string seen;
  attack.held(!lands_outside("", seen) && contains(seen, "/a.old/data "), seen);
  attack.control(lands_outside("mount by descriptor", seen), seen);
}

TEST_CASE(
    "paths: a directory swapped for a link before the mount point is made has none made outside "
    "(CVE-2024-45310)") {
  Attack attack;
  const auto outside_after = [](const std::string& without) {
    const Ground ground;
    fs::create_directories(ground.root() + "/a");
    ::chmod((ground.root() + "/a").c_str(), 0777);
    Stopped stopped(ground, without, "make a/data",
                    {"run", "--ephemeral=false", "-v", ground.root() + "/bin:/a/data",
                     ground.root(), "--", "probe", "true"});
    REQUIRE(stopped.wait());
    swap_for_link(ground, "a");
    stopped.go_on();
    stopped.end();
    return ground.names_outside();
  };
  std::string seen = outside_after("");
  attack.held(seen == "secret", seen);
  seen = outside_after("make by descriptor");
  attack.control(seen == "data secret", seen);
}

TEST_CASE("paths: a link where the spec has a mask does not leave open what it leads to") {
  const Ground ground;
  Attack attack;
  fs::create_directory(ground.root() + "/data");
  put_file(ground.root() + "/data/real", "secret");
  fs::create_symlink("real", ground.root() + "/data/key");
  const Words options = {"--security-opt", "mask=/data/key"};
  Ran ran = ground.probe({"cat", "/data/real"}, options);
  attack.held(ran.code == 125 && contains(ran.err, "/data/key is a link in the root"), ran.err);
  ran = ground.without("no link as a mask").probe({"cat", "/data/real"}, options);
  attack.control(ran.out == "secret", ran.out + ran.err);
}

TEST_CASE("paths: a procfs that is moved away while it is masked takes its masks along") {
  Attack attack;
  const auto interrupts = [](const std::string& without) {
    const Ground ground;
    const std::string here = ground.root() + "/proc";
    const std::string there = ground.root() + "/proc.x";
    fs::create_directory(here);
    fs::create_directory(there);
    Stopped stopped(ground, without, "attach dev",
                    {"run", "--ephemeral=false", ground.root(), "--", "/bin/probe", "cat",
                     "/proc.x/interrupts"});
    REQUIRE(stopped.wait());
    REQUIRE_EQ(::renameat2(AT_FDCWD, here.c_str(), AT_FDCWD, there.c_str(), RENAME_EXCHANGE), 0);
    stopped.go_on();
    const Ran ran = stopped.end();
    return std::to_string(ran.code) + " " + ran.out.substr(0, 200) + ran.err;
  };
  std::string seen = interrupts("");
  attack.held(without_warnings(seen).starts_with("0 ") && !contains(seen, "CPU0"), seen);
  seen = interrupts("walk from the new file system");
  attack.control(contains(seen, "CPU0"), seen);
}

TEST_CASE(
    "paths: accounts are read from the root, not through its link to a file of the host "
    "(CVE-2018-15664, CVE-2019-10152, CVE-2024-9676)") {
  const Ground ground;
  Attack attack;
  put_file(ground.outside() + "/passwd", "host:x:12:12::/:\n");
  fs::remove(ground.root() + "/etc/passwd");
  fs::create_symlink(ground.outside() + "/passwd", ground.root() + "/etc/passwd");
  Ran ran = ground.probe({"ids"}, {"-u", "host"});
  attack.held(ran.code == 125 && contains(ran.err, "there is no user host"), ran.out + ran.err);
  ran = ground.without("walk inside the root").probe({"ids"}, {"-u", "host"});
  attack.control(contains(ran.out, "uid=12 "), ran.out + ran.err);
}

TEST_CASE(
    "paths: what a jail makes of its accounts neither leads exec outside nor keeps it waiting "
    "(CVE-2018-15664, CVE-2024-9676)") {
  const Ground ground;
  Attack attack;
  const std::string name = ground.jails().name("accounts");
  const std::string passwd = ground.root() + "/etc/passwd";
  ground.jails().start(name, {"await", "TERM"}, {"--ephemeral=false"});
  const Words words = {"exec", "-u", "host", name, "/bin/probe", "ids"};
  fs::remove(passwd);
  REQUIRE_EQ(::mkfifo(passwd.c_str(), 0666), 0);
  Ran ran = ground.jaula(words);
  attack.held(contains(ran.err, "/etc/passwd of the root is not a regular file"), ran.err);
  fs::remove(passwd);
  fs::create_symlink("/dev/zero", passwd);
  ran = ground.jaula(words);
  attack.held(contains(ran.err, "/etc/passwd of the root is not a regular file"), ran.err);
  fs::remove(passwd);
  put_file(passwd, "");
  fs::resize_file(passwd, std::uintmax_t{1} << 40);  // without a block on the disk
  ran = ground.jaula(words);
  attack.held(ran.code == 125 && contains(ran.err, "etc/passwd"), ran.err);
  fs::remove(passwd);
  put_file(ground.outside() + "/passwd", "host:x:12:12::/:\n");
  fs::create_symlink(ground.outside() + "/passwd", passwd);
  ran = ground.jaula(words);
  attack.held(contains(ran.err, "there is no user host"), ran.out + ran.err);
  ran = ground.without("walk inside the root").jaula(words);
  attack.control(contains(ran.out, "uid=12 "), ran.out + ran.err);
}

}  // namespace jaula::test

// Rule: the kernel's knobs are written through a procfs that no path of the jail leads to.
#include <sys/stat.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

TEST_CASE(
    "procfs: a sysctl is not written to what lies in the root's or a volume's /proc "
    "(CVE-2015-3631, "
    "CVE-2019-16884, CVE-2025-52881)") {
  const Ground ground;
  Attack attack;
  const std::string ipv4 = ground.root() + "/proc/sys/net/ipv4";
  fs::create_directories(ipv4);
  for (const std::string name : {"ip_forward", "ip_unprivileged_port_start", "ping_group_range"}) {
    put_file(ipv4 + "/" + name, "");
    ::chmod((ipv4 + "/" + name).c_str(), 0666);
  }
  // What every jail has set.
  fs::create_directories(ground.root() + "/proc/sys/user");
  const std::string count = ground.root() + "/proc/sys/user/max_user_namespaces";
  put_file(count, "");
  ::chmod(count.c_str(), 0666);
  const Words options = {"--sysctl", "net.ipv4.ip_forward=1"};
  Ran ran = ground.probe({"cat", "/proc/sys/net/ipv4/ip_forward"}, options);
  attack.held(ran.out == "1\n", ran.out + ran.err);
  ran = ground.probe({"true"},
                     {"--sysctl", "net.ipv4.ip_forward=1", "-v", ground.root() + "/proc:/proc"});
  attack.held(file_bytes(ipv4 + "/ip_forward").empty(), file_bytes(ipv4 + "/ip_forward"));
  ran = ground.without("private procfs").probe({"cat", "/proc/sys/net/ipv4/ip_forward"}, options);
  attack.control(file_bytes(ipv4 + "/ip_forward") == "1" && ran.out == "0\n", ran.out + ran.err);
}

TEST_CASE(
    "procfs: a process that joins is confined, whatever lies in the jail's /proc (CVE-2015-1334)") {
  const Ground ground;
  Attack attack;
  const std::string name = ground.jails().name("joined");
  const std::string proc = ground.jails().scratch() / "proc";
  fs::create_directories(proc + "/self/attr");
  ground.jails().start(name, {"await", "TERM"}, {"-v", proc + ":/proc"});
  const Words tries = {"exec", name, "/bin/attacker", "call", "unshare"};
  Ran ran = ground.jaula(tries);
  attack.held(ran.out == "EPERM\n", ran.out + ran.err);
  CHECK_EQ(ground.jaula({"rm", "-f", name}).code, 0);
  ground.jails().start(name, {"await", "TERM"},
                       {"-v", proc + ":/proc", "--seccomp", "unconfined", "--nesting", "1"});
  ran = ground.jaula(tries);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

}  // namespace jaula::test

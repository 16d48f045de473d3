// Rule: no inode of the jail is ever what is mounted.
#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

// For runc: the root and the volume on /dev of the attack, and a masked path.
std::string config_with(const Ground& ground, const std::string& dev) {
  return R"({"ociVersion": "1.0.2",
    "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/",
                "args": ["/bin/probe", "cat", "/proc/interrupts"]},
    "root": {"path": ")" +
         ground.root() + R"("},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/dev", "type": "bind", "options": ["rbind"], "source": ")" +
         dev + R"("}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"},
                             {"type": "network"}],
              "maskedPaths": ["/proc/interrupts"]}})";
}

}  // namespace

TEST_CASE(
    "mount sources: what covers a masked path is not the jail's own /dev/null (CVE-2025-31133)") {
  const Ground ground;
  Attack attack;
  const std::string dev = ground.jails().scratch() / "dev";
  std::filesystem::create_directory(dev);
  put_file(dev + "/null", "of the jail");
  const Words options = {"-v", dev + ":/dev"};
  Ran ran = ground.probe({"cat", "/proc/interrupts"}, options);
  attack.held(ran.code == 0 && ran.out.empty(), ran.out + ran.err);
  ran = ground.without("covers of our own").probe({"cat", "/proc/interrupts"}, options);
  attack.control(ran.out == "of the jail", ran.out + ran.err);
  if (!have_peer("runc")) return;
  ran = run_runc(ground, config_with(ground, dev));
  if (ran.out.empty() && ran.code == 0) return skip("runc here has been mended");
  attack.peer("runc", ran.out == "of the jail", ran.out + ran.err);
}

}  // namespace jaula::test

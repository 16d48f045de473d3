// Rule: no inode of the jail is ever what is mounted.
#include "tests/attack/attack.h"

namespace jaula::test {

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
}

}  // namespace jaula::test

// Rule: no jail reaches a device of the machine that it was not given, whatever nodes it makes.
#include <unistd.h>

#include "tests/attack/attack.h"

namespace jaula::test {

TEST_CASE("devices: a jail with the host's ids that makes nodes makes none that it was not given") {
  if (::geteuid() != 0) return skip("`userns_mode: host` takes root");
  const Ground ground;
  Attack attack;
  const Words options = {"--userns", "host", "--cap-add", "MKNOD", "--seccomp", "unconfined"};
  // The kernel's log, and the one that every jail has.
  Ran ran = ground.probe({"mknod", "/dev/log", "1:11"}, options);
  attack.held(ran.out == "EPERM\n", ran.out + ran.err);
  ran = ground.probe({"mknod", "/dev/null2", "1:3"}, options);
  attack.held(ran.out == "ok\n", ran.out + ran.err);
  ran = ground.without("program for devices").probe({"mknod", "/dev/log", "1:11"}, options);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

}  // namespace jaula::test

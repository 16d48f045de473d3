// Rule: 0, 1 and 2 are all that is open, and nothing of jaula's own can be looked at.
#include <fcntl.h>

#include <sstream>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

// A directory of the host that the caller has left open, for every program it starts.
struct LeftOpen {
  explicit LeftOpen(const Ground& ground)
      : fd(::fcntl(Fd(::open(ground.outside().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)).get(),
                   F_DUPFD, 50)),  // NOLINT: not CLOEXEC
        path("/proc/self/fd/" + std::to_string(fd.get())) {}
  Fd fd;
  std::string path;
};

std::string pid_inside(pid_t pid) {
  const std::string status = file_bytes("/proc/" + std::to_string(pid) + "/status");
  std::istringstream numbers(status_field(status, "NSpid"));
  std::string last;
  while (numbers >> last) continue;
  return last;
}

}  // namespace

TEST_CASE(
    "descriptors: a directory that the caller left open is closed in the payload "
    "(CVE-2024-21626)") {
  const Ground ground;
  Attack attack;
  const LeftOpen left(ground);
  Ran ran = ground.probe({"cat", left.path + "/secret"});
  attack.held(ran.out == "ENOENT\n", ran.out + ran.err);
  ran = ground.without("close descriptors").probe({"cat", left.path + "/secret"});
  attack.control(ran.out == "of the host", ran.out + ran.err);
  if (!have_peer("bwrap")) return;
  ran = run(bubblewrap(ground, {}, {"/bin/probe", "cat", left.path + "/secret"}));
  attack.peer("bwrap", ran.out == "of the host", ran.out + ran.err);
}

TEST_CASE(
    "descriptors: a working directory through one that was left open is no way out "
    "(CVE-2024-21626)") {
  const Ground ground;
  Attack attack;
  const LeftOpen left(ground);
  const Words options = {"-w", left.path};
  Ran ran = ground.probe({"cat", "secret"}, options);
  attack.held(ran.code == 125 && ran.out.empty(), ran.out + ran.err);
  // Each of the two walls holds by itself.
  ran = ground.without("close descriptors").probe({"cat", "secret"}, options);
  attack.held(ran.code == 125 && contains(ran.err, "is outside of the root"), ran.out + ran.err);
  ran = ground.without("working directory inside").probe({"cat", "secret"}, options);
  attack.held(ran.code == 125 && ran.out.empty(), ran.out + ran.err);
  ran = ground.without("close descriptors,working directory inside")
            .probe({"cat", "secret"}, options);
  attack.control(ran.out == "of the host", ran.out + ran.err);
}

TEST_CASE("descriptors: exec closes what its caller left open, too (CVE-2024-21626)") {
  const Ground ground;
  Attack attack;
  const std::string name = ground.jails().name("fds");
  ground.jails().start(name, {"await", "TERM"});
  const LeftOpen left(ground);
  const Words reads = {"exec", name, "/bin/probe", "cat", left.path + "/secret"};
  const Words enters = {"exec", "-w", left.path, name, "/bin/probe", "cat", "secret"};
  Ran ran = ground.jaula(reads);
  attack.held(ran.out == "ENOENT\n", ran.out + ran.err);
  ran = ground.jaula(enters);
  attack.held(ran.code == 125 && ran.out.empty(), ran.out + ran.err);
  ran = ground.without("close descriptors").jaula(reads);
  attack.control(ran.out == "of the host", ran.out + ran.err);
  ran = ground.without("close descriptors,working directory inside").jaula(enters);
  attack.control(ran.out == "of the host", ran.out + ran.err);
}

TEST_CASE("descriptors: a directory as standard input is not handed in (CVE-2024-21626)") {
  const Ground ground;
  Attack attack;
  const Words words = {"run",        "-i",  ground.root(),           "--",
                       "/bin/probe", "cat", "/proc/self/fd/0/secret"};
  const auto from_directory = [&](Words command, const std::string& without) {
    command.insert(command.begin(), {"sh", "-c", "exec \"$@\" <'" + ground.outside() + "'", "sh"});
    return run(command, {.environment = {{"JAULA_MUTANT", without}}});
  };
  Ran ran = from_directory(ground.jails().command(words), "");
  attack.held(ran.code == 125 && contains(ran.err, "is a directory"), ran.out + ran.err);
  ran = from_directory(ground.mutant(words), "no directory handed in");
  attack.control(ran.out == "of the host", ran.out + ran.err);
}

TEST_CASE(
    "descriptors: PID 1, which has the memory of jaula, cannot be looked at (CVE-2016-9962)") {
  const Ground ground;
  Attack attack;
  for (const Words& options : {Words{}, Words{"--userns", "host"}}) {
    Ran ran = ground.attack({"spy", "1"}, options);
    attack.held(ran.out == "done\n", ran.out + ran.err);
    ran = ground.without("hidden PID 1").attack({"spy", "1"}, options);
    attack.control(contains(ran.out, "opened mem") && contains(ran.out, "opened root"),
                   ran.out + ran.err);
  }
  if (!have_peer("bwrap")) return;
  const Ran ran = run(bubblewrap(ground, {"--unshare-pid"}, {"/bin/attacker", "spy", "1"}));
  attack.peer("bwrap", contains(ran.out, "opened mem") && contains(ran.out, "opened root"),
              ran.out + ran.err);
}

TEST_CASE(
    "descriptors: a process that joins cannot be looked at before it executes (CVE-2016-9962)") {
  const Ground ground;
  Attack attack;
  // Without a user namespace: in one, the change of ids hides it besides. The descriptor by which
  // it is stopped must be open so late.
  // Nor does the filter help.
  const std::string name = ground.jails().name("join");
  ground.jails().start(name, {"await", "TERM"}, {"--userns", "host", "--seccomp", "unconfined"});
  const auto seen_of_joining = [&](const std::string& without) {
    const Stopped joining(ground, without, "bond ", {"exec", name, "/bin/probe", "true"});
    REQUIRE(joining.wait());
    const Ran ran =
        ground.jaula({"exec", name, "/bin/attacker", "spy", pid_inside(joining.child())});
    joining.go_on();
    return ran.out + ran.err;
  };
  std::string seen = seen_of_joining("close descriptors");
  attack.held(seen == "done\n", seen);
  seen = seen_of_joining("close descriptors,hidden exec");
  for (const char* way : {"mem", "exe", "cwd", "root", "ptrace"})
    attack.control(contains(seen, std::string("opened ") + way), seen);
}

}  // namespace jaula::test

// Rule: the payload is who the spec says, with no group, capability or privilege more.
#include <grp.h>
#include <sys/stat.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

void give_file(const std::string& path, const std::string& bytes, gid_t gid, mode_t mode) {
  put_file(path, bytes);
  REQUIRE_EQ(::chown(path.c_str(), 0, gid), 0);
  REQUIRE_EQ(::chmod(path.c_str(), mode), 0);
}

// A program of the root's with a set-id bit.
void add_program(const Ground& ground, const std::string& name, gid_t gid, mode_t mode) {
  const std::string path = ground.root() + "/bin/" + name;
  fs::copy_file(probe_binary(), path);
  REQUIRE_EQ(::chown(path.c_str(), 0, gid), 0);
  REQUIRE_EQ(::chmod(path.c_str(), mode), 0);
}

}  // namespace

TEST_CASE(
    "identity: no capability can be inherited by a program (CVE-2022-24769, CVE-2022-27649, "
    "CVE-2022-27650, CVE-2022-27651, CVE-2022-27652, CVE-2022-29162)") {
  const Ground ground;
  Attack attack;
  const std::string none = "0000000000000000";
  const Words status = {"cat", "/proc/self/status"};
  std::string seen = status_field(ground.probe(status).out, "CapInh");
  attack.held(seen == none, seen);
  const std::string name = ground.jails().name("inherit");
  ground.jails().start(name, {"await", "TERM"});
  const Words exec = {"exec", name, "/bin/probe", "cat", "/proc/self/status"};
  seen = status_field(ground.jaula(exec).out, "CapInh");
  attack.held(seen == none, seen);
  const Mutant without = ground.without("nothing inheritable");
  seen = status_field(without.probe(status).out, "CapInh");
  attack.control(seen == "00000000000000fb", seen);
  seen = status_field(without.jaula(exec).out, "CapInh");
  attack.control(seen == "00000000000000fb", seen);
}

TEST_CASE(
    "identity: the primary group counts as a supplementary one, so that what is denied to it stays "
    "denied (CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2022-36109, CVE-2023-25173)") {
  const Ground ground;
  Attack attack;
  give_file(ground.root() + "/etc/denied", "to webgroup", 34, 0604);
  // A program that changes the effective group, so that the primary one is in no set but this.
  add_program(ground, "change-group", 51, 02755);
  const Words words = {"run",
                       "-u",
                       "web",
                       "--security-opt",
                       "no-new-privileges:false",
                       ground.root(),
                       "--",
                       "/bin/change-group",
                       "cat",
                       "/etc/denied"};
  Ran ran = ground.jaula(words);
  attack.held(ran.out == "EACCES\n", ran.out + ran.err);
  ran = ground.without("primary group in the set").jaula(words);
  attack.control(ran.out == "to webgroup", ran.out + ran.err);
}

TEST_CASE("identity: the groups of the caller are not the payload's") {
  const Ground ground;
  Attack attack;
  constexpr gid_t kGroup = 4242;
  give_file(ground.root() + "/etc/of-group", "of the caller's group", kGroup, 0640);
  const auto as_member = [&](const Words& command, const std::string& without) {
    Pipe answer;
    Child member([&] {
      if (::setgroups(1, &kGroup) < 0) return 1;
      const Ran ran = run(command, {.environment = {{"JAULA_MUTANT", without}}});
      return ::write(answer.to(), ran.out.data(), ran.out.size()) < 0 ? 1 : 0;
    });
    std::string out = answer.take_all();
    CHECK_EQ(member.wait(), 0);
    return out;
  };
  const Words words = {"run",         "--userns", "host",       "-u",  "web",
                       ground.root(), "--",       "/bin/probe", "cat", "/etc/of-group"};
  std::string seen = as_member(ground.jails().command(words), "");
  attack.held(seen == "EACCES\n", seen);
  seen = as_member(ground.mutant(words), "groups of the jail");
  attack.control(seen == "of the caller's group", seen);
  if (!have_peer("bwrap")) return;
  seen = as_member(bubblewrap(ground, {}, {"/bin/probe", "ids"}), "");
  attack.peer("bwrap", contains(seen, "groups=4242 "), seen);
}

TEST_CASE(
    "identity: a number is an id, whatever names the root's passwd has (CVE-2016-3697, "
    "CVE-2026-46680)") {
  const Ground ground;
  Attack attack;
  put_file(ground.root() + "/etc/passwd", "33:x:0:0::/:\n4294967296:x:0:0::/:\n");
  Ran ran = ground.probe({"ids"}, {"-u", "33"});
  attack.held(contains(ran.out, "uid=33 "), ran.out + ran.err);
  ran = ground.probe({"ids"}, {"-u", "4294967296"});
  attack.held(ran.code == 125 && ran.out.empty(), ran.out + ran.err);
  for (const char* user : {"33", "4294967296"}) {
    ran = ground.without("numbers are ids,ids in range").probe({"ids"}, {"-u", user});
    attack.control(contains(ran.out, "uid=0 "), ran.out + ran.err);
  }
}

TEST_CASE("identity: an id beyond 32 bits is refused, not cut to root's (CVE-2024-40635)") {
  const Ground ground;
  Attack attack;
  for (const char* user : {"4294967296", "0:4294967296"}) {
    const Ran ran = ground.probe({"ids"}, {"-u", user});
    attack.held(ran.code == 125 && ran.out.empty(), ran.out + ran.err);
  }
  const Ran ran = ground.without("ids in range").probe({"ids"}, {"-u", "4294967296"});
  attack.control(contains(ran.out, "uid=0 "), ran.out + ran.err);
}

TEST_CASE("identity: a user who is not root has none of root's capabilities (CVE-2016-8867)") {
  const Ground ground;
  Attack attack;
  give_file(ground.root() + "/etc/of-root", "of root", 0, 0600);
  Ran ran = ground.probe({"cat", "/etc/of-root"}, {"-u", "web"});
  attack.held(ran.out == "EACCES\n", ran.out + ran.err);
  ran = ground.without("none for users").probe({"cat", "/etc/of-root"}, {"-u", "web"});
  attack.control(ran.out == "of root", ran.out + ran.err);
}

TEST_CASE(
    "identity: a set-user-ID program of the root gives no privilege to exploit (CVE-2021-3156, "
    "CVE-2021-4034, CVE-2023-4911)") {
  const Ground ground;
  Attack attack;
  give_file(ground.root() + "/etc/of-root", "of root", 0, 0600);
  add_program(ground, "become-root", 0, 04755);
  Words words = {"run", "-u",          "web", ground.root(), "--", "/bin/become-root",
                 "cat", "/etc/of-root"};
  Ran ran = ground.jaula(words);
  attack.held(ran.out == "EACCES\n", ran.out + ran.err);
  words.insert(words.begin() + 1, {"--security-opt", "no-new-privileges:false"});
  ran = ground.jaula(words);
  attack.control(ran.out == "of root", ran.out + ran.err);
}

}  // namespace jaula::test

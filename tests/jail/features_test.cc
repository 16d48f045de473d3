// A kernel that lacks what jaula uses, or a container whose filter does not know it: the jail is as
// safe as ever, or is refused by the name of the feature, and nothing is left. `without`
// (tests/probe/without.c) takes the calls away. cgroup.kill is a file: tests/isolation has the
// cgroup that is ended without it.
#include <signal.h>
#include <unistd.h>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

struct Feature {
  std::string call;
  std::string release;  // the Linux that brought it
};

Ran run_without(const Jails& jails, const std::string& calls, const Words& words) {
  Words all = jails.command(words);
  all.insert(all.begin(), {std::string(JAULA_BIN_DIR) + "/without", calls, "--"});
  Ran ran = run(all);
  ran.err = without_warnings(ran.err);
  return ran;
}

void check_names(const Ran& ran, const std::string& call, const std::string& release) {
  INFO(ran.err);
  CHECK_EQ(ran.code, 125);
  CHECK_EQ(ran.out, "");
  CHECK(contains(ran.err, call + ": "));
  CHECK(contains(ran.err, ": Function not implemented\n"));
  CHECK(contains(ran.err, "Linux has it from " + release + " on"));
}

// What no layer less would show. The second filter is that of `without`.
void check_confined(const std::string& status) {
  INFO(status);
  CHECK_EQ(status_field(status, "Seccomp"), "2");
  CHECK_EQ(status_field(status, "Seccomp_filters"), "2");
  CHECK_EQ(status_field(status, "NoNewPrivs"), "1");
  CHECK_EQ(status_field(status, "CapBnd"), "00000000000000fb");
  CHECK_EQ(status_field(status, "CapInh"), "0000000000000000");
}

const Words kStatus = {"/bin/probe", "cat", "/proc/self/status"};

Words on_root(const Jails& jails, Words options, const Words& payload) {
  options.insert(options.begin(), "run");
  options.push_back(jails.root());
  options.insert(options.end(), payload.begin(), payload.end());
  return options;
}

}  // namespace

TEST_CASE("features: what every start needs is named when the kernel has it not") {
  const Jails jails;
  for (const Feature& feature :
       {Feature{"openat2", "5.6"}, Feature{"clone3", "5.3"}, Feature{"mount_setattr", "5.12"},
        Feature{"close_range", "5.9"}, Feature{"fsopen", "5.2"}, Feature{"open_tree", "5.2"},
        Feature{"move_mount", "5.2"}, Feature{"seccomp", "3.17"}})
    for (const Words& how : {Words{}, Words{"-d"}, Words{"--userns", "host"}}) {
      if (::geteuid() != 0 && how.size() == 2) continue;  // refused before the kernel is asked
      CAPTURE(feature.call);
      const Ran ran = run_without(jails, feature.call, on_root(jails, how, kStatus));
      check_names(ran, feature.call, feature.release);
      CHECK_EQ(jails.left_behind(), "");
    }
}

TEST_CASE("features: a filter that is switched off is not missed") {
  const Jails jails;
  // The payload's status tells that `without` alone has put one there.
  const Ran ran =
      run_without(jails, "memfd_create", on_root(jails, {"--seccomp", "unconfined"}, kStatus));
  CHECK_EQ(status_field(ran.out, "Seccomp_filters"), "1");
}

TEST_CASE("features: what a start can do without changes nothing of the jail") {
  const Jails jails;
  for (const char* calls : {"landlock_create_ruleset", "memfd_create", "setns",
                            "pidfd_open,pidfd_send_signal,landlock_create_ruleset"}) {
    CAPTURE(calls);
    if (::geteuid() != 0 && std::string(calls) == "memfd_create") continue;  // it is needed then
    const Ran ran = run_without(jails, calls, on_root(jails, {}, kStatus));
    CHECK_MESSAGE(ran.code == 0, ran.err);
    check_confined(ran.out);
    const Words fds = {"/bin/probe", "fds"};
    CHECK_EQ(run_without(jails, calls, on_root(jails, {}, fds)).out, "0\n1\n2\n");
    CHECK_EQ(jails.left_behind(), "");
  }
}

TEST_CASE("features: without pidfds no jail is left to itself") {
  const Jails jails;
  const Words payload = {"/bin/probe", "await", "TERM"};
  for (const Feature& feature :
       {Feature{"pidfd_open", "5.3"}, Feature{"pidfd_send_signal", "5.1"}}) {
    const Ran ran = run_without(jails, feature.call, on_root(jails, {"-d"}, payload));
    check_names(ran, feature.call, feature.release);
    CHECK_EQ(jails.left_behind(), "");
  }
}

TEST_CASE("features: without pidfds no verb takes a jail that runs for dead") {
  const Jails jails;
  const std::string name = jails.name("alive");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  for (const Words& words :
       {Words{"exec", name, "/bin/probe", "true"}, Words{"stop", name}, Words{"kill", name},
        Words{"rm", "-f", name}, Words{"wait", name}, Words{"logs", name},
        Words{"run", "--name", name, jails.root(), "/bin/probe", "true"}}) {
    CAPTURE(words[0]);
    check_names(run_without(jails, "pidfd_open", words), "pidfd_open", "5.3");
    REQUIRE(process_lives(init));
  }
  CHECK_EQ(run_without(jails, "pidfd_open", {"inspect", name}).code, 125);
  run_without(jails, "pidfd_open", {"ps", "-a"});  // which clears what is dead
  REQUIRE(process_lives(init));
  CHECK_EQ(jails.jaula({"ps", "-q"}).out, name + "\n");
  for (const Words& words : {Words{"stop", name}, Words{"kill", name}})
    check_names(run_without(jails, "pidfd_send_signal", words), "pidfd_send_signal", "5.1");
  REQUIRE(process_lives(init));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("features: without a descriptor to spare neither does one") {
  const Jails jails;
  const std::string name = jails.name("alive");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  for (int most = 3; most < 16; ++most) {
    Words words = jails.command({"ps", "-a"});
    words.insert(words.begin(), {"sh", "-c", "ulimit -n $0; exec \"$@\"", std::to_string(most)});
    CAPTURE(run(words).err);
    REQUIRE(process_lives(init));
  }
  CHECK_EQ(jails.jaula({"ps", "-q"}).out, name + "\n");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("features: exec is refused by the same names, and the jail lives on") {
  const Jails jails;
  const std::string name = jails.name("web");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  const Words words = {"exec", name, "/bin/probe", "cat", "/proc/self/status"};
  for (const Feature& feature :
       {Feature{"clone3", "5.3"}, Feature{"close_range", "5.9"}, Feature{"seccomp", "3.17"}}) {
    CAPTURE(feature.call);
    check_names(run_without(jails, feature.call, words), feature.call, feature.release);
    CHECK(process_lives(init));
  }
  const Ran without = run_without(jails, "setns", words);
  CHECK_EQ(without.code, 125);
  CHECK(contains(without.err, "enter namespaces: Function not implemented\n"));
  check_confined(run_without(jails, "landlock_create_ruleset,mount_setattr,fsopen", words).out);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE(
    "features: without Landlock its rules are refused, or done without when that is asked for") {
  const Jails jails;
  const auto with = [&](const std::string& level) {
    return on_root(jails, {"--set", "landlock={exec: [/], level: " + level + "}"}, kStatus);
  };
  const Ran refused = run_without(jails, "landlock_create_ruleset", with("require"));
  INFO(refused.err);
  CHECK_EQ(refused.code, 125);
  CHECK_EQ(refused.out, "");
  CHECK(contains(refused.err, "landlock"));
  CHECK(contains(refused.err, "5.13"));
  CHECK_EQ(jails.left_behind(), "");
  check_confined(run_without(jails, "landlock_create_ruleset", with("prefer")).out);
}

TEST_CASE("features: doctor names the calls that are missing") {
  const Jails jails;
  const std::string calls =
      "clone3,openat2,pidfd_open,pidfd_send_signal,close_range,open_tree,mount_setattr";
  const std::string said = run_without(jails, calls, {"doctor"}).out;
  INFO(said);
  CHECK(contains(said,
                 "does not let us call clone3 (5.3), openat2 (5.6), pidfd_open (5.3), "
                 "pidfd_send_signal (5.1), close_range (5.9), open_tree (5.2), "
                 "mount_setattr (5.12)"));
}

}  // namespace jaula::test

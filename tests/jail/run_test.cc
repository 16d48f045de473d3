#include <string.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "tests/jail/jails.h"

namespace jaula::test {

TEST_CASE("run: the exit code is the payload's own") {
  const Jails jails;
  CHECK_EQ(jails.probe({"exit", "7"}).code, 7);
  CHECK_EQ(jails.probe({"true"}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: a payload that a signal ended gives 128 and the signal") {
  const Jails jails;
  CHECK_EQ(jails.probe({"kill-self", "9"}).code, 137);
  CHECK_EQ(jails.probe({"kill-self", "15"}).code, 143);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: a caller that ignores SIGCHLD hears of the end all the same") {
  const Jails jails;
  const std::string name = jails.name("deaf");
  Words words = {"env", "--ignore-signal=CHLD"};
  for (const std::string& word :
       jails.command({"run", "--name", name, jails.root(), "probe", "exit", "7"}))
    words.push_back(word);
  const Ran ran = run(words);
  CHECK_EQ(without_warnings(ran.err), "");
  CHECK_EQ(ran.code, 7);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: the log level decides what is told of a start and an end") {
  const Jails jails;
  const std::string name = jails.name("told");
  const auto told = [&](const char* level) {
    Words words = jails.command({"--log-level", level, "run", "--name", name, jails.root()});
    words.insert(words.end(), {"/bin/probe", "exit", "2"});
    return run(words);
  };
  CHECK_EQ(told("error").err, "");
  CHECK_EQ(without_warnings(told("warning").err), "");
  const std::string info = without_warnings(told("info").err);
  CHECK(contains(info, name + ": runs as process "));
  CHECK(contains(info, name + ": ended with 2\n"));
  CHECK_FALSE(contains(info, ": record "));
  CHECK(contains(told("debug").err, name + ": record " + jails.state() + "/run/" + name + "\n"));
}

// The lines of --timing: of each step whose it was and what it is called.
std::vector<std::string> steps_of(const std::string& text) {
  std::vector<std::string> steps;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string side, name;
    long at, took;
    if (words >> at >> took >> side && std::getline(words >> std::ws, name))
      steps.push_back(side.append(" ").append(name));
  }
  return steps;
}

TEST_CASE("run: --timing tells what a start did on both sides of the fork, and otherwise nothing") {
  const Jails jails;
  CHECK_EQ(steps_of(run(jails.command({"run", jails.root(), "probe", "true"})).err).size(), 0);
  const Ran ran = run(jails.command({"run", "--timing", jails.root(), "probe", "exit", "3"}));
  CHECK_EQ(ran.code, 3);
  const std::vector<std::string> steps = steps_of(ran.err);
  // Each side in its own order.
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{"parent spec", "parent plan", "parent cgroup", "parent clone",
                                 "parent id maps, the go", "parent record",
                                 "parent wait for execve", "parent payload, and its end",
                                 "parent cgroup and record deleted"},
        std::vector<std::string>{"inside clone", "inside session", "inside wait for the go",
                                 "inside root file system", "inside /proc", "inside mounts",
                                 "inside pivot root", "inside credentials", "inside seccomp"}}) {
    auto from = steps.begin();
    for (const std::string& step : order) {
      CAPTURE(step);
      from = std::find(from, steps.end(), step);
      REQUIRE(from != steps.end());
    }
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: --timing of a detached jail tells of its start, and of one that fails so far") {
  const Jails jails;
  const std::string name = jails.name("timed");
  Ran ran = run(jails.command(
      {"run", "-d", "--timing", "--name", name, jails.root(), "/bin/probe", "await", "TERM"}));
  CHECK_EQ(ran.code, 0);
  std::vector<std::string> steps = steps_of(ran.err);
  CHECK_EQ(std::count(steps.begin(), steps.end(), "inside seccomp"), 1);
  CHECK_EQ(std::count(steps.begin(), steps.end(), "parent payload, and its end"), 0);
  ran = run(jails.command({"run", "--timing", jails.root(), "/no/such/program"}));
  CHECK_EQ(ran.code, 127);
  steps = steps_of(ran.err);
  CHECK_EQ(std::count(steps.begin(), steps.end(), "inside mounts"), 1);
}

TEST_CASE(
    "run: a signal that the caller ignores is not ignored in the jail, real-time ones neither") {
  const Jails jails;
  Words words = {"env", "--ignore-signal=HUP,RTMIN+3"};
  for (const std::string& word :
       jails.command({"run", jails.root(), "probe", "cat", "/proc/self/status"}))
    words.push_back(word);
  CHECK_EQ(status_field(run(words).out, "SigIgn"), "0000000000000000");
}

TEST_CASE("run: with init: false the payload is PID 1") {
  const Jails jails;
  CHECK(contains(jails.probe({"ids"}, {"--init=false"}).out, " pid=1 "));
  CHECK(contains(jails.probe({"ids"}).out, " pid=2 "));
  CHECK_EQ(jails.probe({"exit", "9"}, {"--init=false"}).code, 9);
}

TEST_CASE("run: standard input is empty unless -i passes it on") {
  const Jails jails;
  const Words payload = {jails.root(), "/bin/probe", "echo-stdin"};
  Words with = {"run", "-i"}, without = {"run"};
  with.insert(with.end(), payload.begin(), payload.end());
  without.insert(without.end(), payload.begin(), payload.end());
  CHECK_EQ(jails.jaula(with, {.input = "words\n"}).out, "words\n");
  CHECK_EQ(jails.jaula(without, {.input = "words\n"}).out, "");
}

TEST_CASE("run: signals that reach jaula reach the payload") {
  const Jails jails;
  Program program(jails.command({"run", jails.root(), "/bin/probe", "await", "TERM"}), {});
  REQUIRE_EQ(program.line(), "ready");
  program.signal(SIGHUP);
  CHECK_EQ(program.line(), "HUP");
  program.signal(SIGUSR1);
  CHECK_EQ(program.line(), "USR1");
  program.signal(SIGWINCH);  // without a terminal it is a signal as any other
  CHECK(program.line().starts_with("WINCH "));
  program.signal(SIGTERM);
  CHECK_EQ(program.line(), "TERM");
  CHECK_EQ(program.wait().code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: every signal that a process can be sent for a reason of its own is passed on") {
  const Jails jails;
  const std::string name = jails.name("all");
  Program program(jails.command({"run", "--name", name, jails.root(), "probe", "await", "TERM"}),
                  {});
  REQUIRE_EQ(program.line(), "ready");
  for (const int signal : {SIGPWR, SIGVTALRM, SIGXCPU, SIGIO, SIGURG}) {
    program.signal(signal);
    CHECK_EQ(program.line(), ::sigabbrev_np(signal));
  }
  program.signal(SIGRTMIN + 3);  // the payload has no handler for it
  CHECK_EQ(program.wait().code, 128 + SIGRTMIN + 3);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: the payload can open /dev/stdout again when it is a pipe of the caller's") {
  const Jails jails;
  const Ran ran = jails.probe({"put", "/dev/stdout", "again"}, {"--user", "33"});
  CHECK(contains(ran.out, "again"));
  CHECK_EQ(ran.code, 0);
}

TEST_CASE("run: a time limit ends the jail with exit code 124") {
  const Jails jails;
  const Ran ran = jails.probe({"await", "none"}, {"--timeout", "200ms", "--stop-timeout", "100ms"});
  CHECK_EQ(ran.code, 124);
  CHECK(contains(ran.err, "time_limit reached"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("run: the environment is the spec's, not the caller's") {
  const Jails jails;
  Words words = {"run", "-e", "GIVEN=value", jails.root(), "/bin/probe", "echo-env"};
  const RunSettings settings{.environment = {{"CALLER_SECRET", "hidden"}}};
  words.emplace_back("CALLER_SECRET");
  CHECK_EQ(jails.jaula(words, settings).out, "(unset)\n");
  words.back() = "GIVEN";
  CHECK_EQ(jails.jaula(words, settings).out, "value\n");
}

TEST_CASE("run: PID 1 does not show the caller's environment") {
  const Jails jails;
  const Words words = {"run", jails.root(), "/bin/probe", "cat", "/proc/1/environ"};
  const Ran ran = jails.jaula(words, {.environment = {{"CALLER_SECRET", "hidden"}}});
  CHECK_EQ(ran.out, "EACCES\n");
}

TEST_CASE(
    "run: what is written to an ephemeral root is gone afterwards, and kept in one that is "
    "not") {
  const Jails jails;
  CHECK_EQ(jails.probe({"put", "/tmp/file", "text"}).out, "ok\n");
  CHECK_FALSE(std::filesystem::exists(jails.root() + "/tmp/file"));
  CHECK_EQ(jails.probe({"put", "/tmp/file", "text"}, {"--ephemeral=false"}).out, "ok\n");
  CHECK_EQ(file_bytes(jails.root() + "/tmp/file"), "text");
}

TEST_CASE("run: a read-only root refuses writing") {
  const Jails jails;
  CHECK_EQ(jails.probe({"put", "/tmp/file", "text"}, {"--read-only"}).out, "EROFS\n");
  CHECK_EQ(jails.probe({"put", "/tmp/file", "text"}, {"--read-only", "--tmpfs", "/tmp"}).out,
           "ok\n");
}

TEST_CASE(
    "run: a command in the PATH of the jail is found, and the environment of the spec decides "
    "where") {
  const Jails jails;
  CHECK_EQ(jails.jaula({"run", jails.root(), "probe", "exit", "3"}).code, 3);
  const Ran lost = jails.jaula({"run", "-e", "PATH=/nowhere", jails.root(), "probe", "true"});
  CHECK_EQ(lost.code, 127);
}

}  // namespace jaula::test

#include "tests/jail/terminal.h"

#include <fcntl.h>

namespace jaula::test {

TEST_CASE("terminal: -t gives the payload a pty of its own, sized before it looks") {
  const Jails jails;
  Terminal terminal(jails.command({"run", "-it", jails.root(), "probe", "tty"}));
  CHECK(terminal.shows("tty=1 name=/dev/pts/0 size=40x100 controlling=1"));
  CHECK_EQ(terminal.wait(), 0);
}

TEST_CASE("terminal: the last words of a payload that ends at once arrive, however many") {
  const Jails jails;
  for (int round = 0; round < 20; ++round) {
    Terminal terminal(jails.command({"run", "-t", jails.root(), "probe", "lines", "1000"}));
    REQUIRE(terminal.shows("line 999 on "));
    CHECK_EQ(terminal.wait(), 0);
  }
}

TEST_CASE("terminal: a resize of the caller's reaches the payload") {
  const Jails jails;
  Terminal terminal(jails.command({"run", "-it", jails.root(), "probe", "await", "TERM"}));
  REQUIRE(terminal.shows("ready"));
  terminal.resize(30, 90);
  CHECK(terminal.shows("WINCH 30x90"));
}

TEST_CASE("terminal: keys go to the payload, and ^C is its signal") {
  const Jails jails;
  Terminal terminal(jails.command({"run", "-it", jails.root(), "probe", "await", "INT"}));
  REQUIRE(terminal.shows("ready"));
  terminal.type("\x03");
  CHECK(terminal.shows("INT"));
  CHECK_EQ(terminal.wait(), 0);
}

TEST_CASE("terminal: without -t the payload never holds the caller's terminal") {
  const Jails jails;
  Terminal terminal(jails.command({"run", "-i", jails.root(), "probe", "tty"}));
  CHECK(terminal.shows("tty=0 name=none"));
  CHECK(terminal.shows("controlling=0"));
  CHECK_EQ(terminal.wait(), 0);
}

TEST_CASE("terminal: exec -t gives a pty of the jail's devpts") {
  const Jails jails;
  const std::string name = jails.name("tty");
  jails.start(name, {"await", "TERM"});
  Terminal terminal(jails.command({"exec", "-it", name, "probe", "tty"}));
  CHECK(terminal.shows("tty=1 name=/dev/pts/0 size=40x100 controlling=1"));
  CHECK_EQ(terminal.wait(), 0);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("terminal: what the payload did not read is left to the caller, and so are the flags") {
  const Jails jails;
  const std::string name = jails.name("typed");
  Words words =
      jails.command({"run", "-i", "--name", name, jails.root(), "probe", "await", "TERM"});
  words.insert(
      words.begin(),
      {"/bin/sh", "-c",
       "\"$@\"; grep flags /proc/self/fdinfo/0; echo told; read line; echo got $line", "sh"});
  Terminal terminal(words);
  REQUIRE(terminal.shows("ready"));
  CHECK_EQ(jails.jaula({"kill", "-s", "TERM", name}).code, 0);
  REQUIRE(terminal.shows("told"));  // or what is typed shows between
  terminal.type("after\n");
  CHECK(terminal.shows("got after"));
  CHECK_EQ(terminal.wait(), 0);
  const std::size_t flags = terminal.seen().find("flags:");
  CHECK_EQ(std::stoul(terminal.seen().substr(flags + 6), nullptr, 8) & O_NONBLOCK, 0);
}

TEST_CASE("terminal: a payload that lets go of its terminal for a while is heard again") {
  const Jails jails;
  const std::string name = jails.name("again");
  REQUIRE_EQ(
      jails.jaula({"run", "-d", "-t", "--name", name, jails.root(), "probe", "reopen-tty"}).code,
      0);
  Program log(jails.command({"logs", "-f", name}), {});
  REQUIRE_EQ(log.line(), "ready\r");
  while (jails.jaula({"exec", name, "probe", "list", "/proc/2/fd"}).out != "") {
  }
  CHECK_EQ(jails.jaula({"kill", "-s", "USR1", name}).code, 0);
  CHECK_EQ(log.line(), "late\r");
  CHECK_EQ(jails.jaula({"wait", name}).out, "0\n");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("terminal: one that nobody reads does not keep the jail beyond its time limit") {
  const Jails jails;
  const std::string name = jails.name("unread");
  Terminal terminal(jails.command({"run", "--name", name, "--timeout", "1", "--stop-timeout", "1",
                                   jails.root(), "probe", "lines", "1000000000"}));
  while (jails.jaula({"inspect", name}).code != 0) {  // it is being made
  }
  while (jails.jaula({"inspect", name}).code == 0) {
  }
  CHECK(terminal.shows("time_limit reached"));  // told when the jail was over, to who reads again
  CHECK_EQ(terminal.wait(), 124);
  // A pty of the jail's own, into a pipe that nobody reads.
  Program pipe(jails.command({"run", "-t", "--timeout", "1", "--stop-timeout", "1", jails.root(),
                              "probe", "lines", "1000000000"}),
               {});
  siginfo_t info{};
  REQUIRE_EQ(::waitid(P_PID, static_cast<id_t>(pipe.pid()), &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(info.si_status, 124);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("terminal: a jail whose terminal shows into a closed pipe is told to hang up") {
  const Jails jails;
  Words words = jails.command({"run", "-t", jails.root(), "probe", "lines", "1000000000"});
  words.insert(words.begin(),
               {"timeout", "60", "bash", "-c", "\"$@\" | head -1; exit ${PIPESTATUS[0]}", "bash"});
  const Ran ran = run(words);
  CHECK_EQ(ran.code, 128 + SIGHUP);
  CHECK(contains(ran.out, "line 0 on stdout"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("terminal: input that ends within a line ends all the same") {
  const Jails jails;
  const Ran ran = jails.jaula(
      {"run", "-it", "--timeout", "60", jails.root(), "probe", "echo-stdin"}, {.input = "abc"});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.out, "abc"));
}

TEST_CASE(
    "terminal: input that does not end keeps no jail, and input that ends does for its payload") {
  const Jails jails;
  Words words = jails.command({"run", "-i", "-t", jails.root(), "probe", "true"});
  words.insert(words.begin(), {"timeout", "60", "sh", "-c", "exec \"$@\" </dev/zero", "sh"});
  CHECK_EQ(run(words).code, 0);
  const Ran ran =
      jails.jaula({"run", "-i", "-t", jails.root(), "probe", "echo-stdin"}, {.input = "hi\n"});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.out, "hi"));
}

}  // namespace jaula::test

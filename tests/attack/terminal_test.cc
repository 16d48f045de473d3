// Rule: no terminal and no socket of the host's is shared with a jail.
#include "tests/jail/terminal.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

// What was opened, since then, of a file.
class Watch {
 public:
  explicit Watch(const std::string& path) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    REQUIRE_GE(::inotify_add_watch(fd_.get(), path.c_str(), IN_OPEN), 0);
  }
  [[nodiscard]] bool opened() const {
    char events[4096];
    return ::read(fd_.get(), events, sizeof events) > 0;
  }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE(
    "terminal: the caller's is not the payload's, to read keys from or to type into "
    "(CVE-2016-2568, CVE-2017-5226)") {
  const Ground ground;
  Attack attack;
  Terminal ours(ground.jails().command({"run", "-i", ground.root(), "/bin/probe", "tty"}));
  attack.held(ours.shows("tty=0 name=none") && ours.shows("controlling=0"), ours.seen());
  CHECK_EQ(ours.wait(), 0);
  if (!have_peer("bwrap")) return;
  Terminal theirs(bubblewrap(ground, {}, {"/bin/probe", "tty"}));
  attack.peer("bwrap", theirs.shows("tty=1") && theirs.shows("controlling=1"), theirs.seen());
  CHECK_EQ(theirs.wait(), 0);
}

TEST_CASE(
    "terminal: nothing is typed into the one that a jail was handed (CVE-2017-5226, "
    "CVE-2019-10063)") {
  const Ground ground;
  Attack attack;
  for (const char* request : {"TIOCSTI", "TIOCSTI-high"}) {
    Terminal ours(
        ground.jails().command({"run", "-t", ground.root(), "/bin/attacker", "call", request}));
    attack.held(ours.shows("EPERM"), ours.seen());
    CHECK_EQ(ours.wait(), 0);
    Terminal open(ground.jails().command(
        {"run", "-t", "--seccomp", "unconfined", ground.root(), "/bin/attacker", "call", request}));
    // A kernel with dev.tty.legacy_tiocsti=0 wants CAP_SYS_ADMIN for it, and answers EIO.
    attack.control(open.shows("ok") || contains(open.seen(), "EIO"), open.seen());
    open.wait();
  }
  if (file_bytes("/proc/sys/dev/tty/legacy_tiocsti").starts_with("0"))
    return skip("this kernel lets nobody type into a terminal");
  if (!have_peer("bwrap")) return;
  // The key that the payload has typed is there for whoever reads the caller's terminal next.
  Terminal theirs({"/bin/sh", "-c", "\"$@\"; read line; echo \"read $line\"", "sh", "bwrap",
                   "--bind", ground.root(), "/", "/bin/attacker", "call", "TIOCSTI"});
  attack.peer("bwrap", theirs.shows("ok"), theirs.seen());
  theirs.type("\n");
  attack.peer("bwrap", theirs.shows("read x"), theirs.seen());
  CHECK_EQ(theirs.wait(), 0);
}

TEST_CASE(
    "terminal: neither what a jail writes nor what it is called drives the one of who looks "
    "(CVE-2003-0063, CVE-2019-9535, CVE-2021-25743)") {
  const Ground ground;
  Attack attack;
  const Jails& jails = ground.jails();
  const std::string escape = "\x1b]2;owned\a";
  const std::string name = jails.name("escape");
  REQUIRE_EQ(jails
                 .jaula({"run", "-d", "--name", name, "-l", "sign=" + escape, ground.root(), "--",
                         "/bin/probe", "echo", escape})
                 .code,
             0);
  REQUIRE_EQ(jails.jaula({"wait", name}).code, 0);
  const std::vector<Words> looks = {
      {"logs", name}, {"ps", "-a"}, {"inspect", name}, {"inspect", "--format", "table", name}};
  for (const Words& look : looks) {
    Terminal ours(jails.command(look));
    attack.held(ours.shows("owned"), ours.seen());
    ours.wait();
    attack.held(!contains(ours.seen(), "\x1b") && !contains(ours.seen(), "\a"), ours.seen());
  }
  // The bytes are there: a pipe gets them as they are.
  const std::string bytes = jails.jaula({"logs", name}).out;
  attack.control(contains(bytes, escape), bytes);
}

TEST_CASE(
    "terminal: what lies in place of the multiplexer of ptys is not even opened (CVE-2025-52565)") {
  const Ground ground;
  Attack attack;
  const std::string pts = ground.jails().scratch() / "pts";
  std::filesystem::create_directory(pts);
  put_file(pts + "/ptmx", "");
  ::chmod((pts + "/ptmx").c_str(), 0666);
  const Words words = {"run", "-t", "-v", pts + ":/dev/pts", ground.root(), "/bin/probe", "tty"};
  const Watch watch(pts + "/ptmx");
  Ran ran = ground.jaula(words);
  attack.held(ran.code == 125 && !watch.opened(), ran.out + ran.err);
  ran = ground.without("verified multiplexer").jaula(words);
  attack.control(watch.opened(), ran.out + ran.err);
  // The same, by who joins.
  const std::string name = ground.jails().name("pts");
  ground.jails().start(name, {"await", "TERM"}, {"-v", pts + ":/dev/pts"});
  const Words joins = {"exec", "-t", name, "/bin/probe", "tty"};
  ran = ground.jaula(joins);
  attack.held(ran.code == 125 && !watch.opened(), ran.out + ran.err);
  ran = ground.without("verified multiplexer").jaula(joins);
  attack.control(watch.opened(), ran.out + ran.err);
}

TEST_CASE("terminal: an abstract socket of the host cannot be called (CVE-2020-15257)") {
  const Ground ground;
  Attack attack;
  const std::string name = ground.jails().name("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  REQUIRE_EQ(::listen(socket.get(), 4), 0);
  Ran ran = ground.attack({"abstract", name});
  attack.held(ran.out == "ECONNREFUSED\n", ran.out + ran.err);
  ran = ground.attack({"abstract", name}, {"--network", "host"});
  attack.control(ran.out == "ok\n", ran.out + ran.err);
  if (!have_peer("bwrap")) return;
  ran = run(bubblewrap(ground, {}, {"/bin/attacker", "abstract", name}));
  attack.peer("bwrap", ran.out == "ok\n", ran.out + ran.err);
}

}  // namespace jaula::test

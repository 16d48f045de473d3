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
  Terminal theirs({"/usr/bin/bwrap", "--bind", ground.root(), "/", "--dev", "/dev", "--proc",
                   "/proc", "/bin/probe", "tty"});
  attack.control(theirs.shows("tty=1") && theirs.shows("controlling=1"), theirs.seen());
  CHECK_EQ(theirs.wait(), 0);
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
}

}  // namespace jaula::test

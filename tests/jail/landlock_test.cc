// The key `landlock`, through the real binary: each refusal beside a jail that has not the key.
#include "isolation/landlock.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

bool have_abi(int needed) {
  const Result<int> abi = isolation::landlock_abi();
  if (abi && *abi >= needed) return true;
  skip("no Landlock of ABI " + std::to_string(needed));
  return false;
}

Words with(const std::string& rules, Words more = {}) {
  more.insert(more.begin(), {"--set", "landlock={" + rules + "}"});
  return more;
}

// What the payload says, without the key and with it.
void compare(const Jails& jails, const Words& words, const std::string& rules,
             const std::string& without, const std::string& under) {
  CAPTURE(words);
  CHECK_EQ(jails.probe(words).out, without + "\n");
  CHECK_EQ(jails.probe(words, with(rules)).out, under + "\n");
}

}  // namespace

TEST_CASE("landlock: what is read, written and executed is what is listed") {
  if (!have_abi(3)) return;
  const Jails jails;
  std::filesystem::create_directory(jails.root() + "/data");
  std::filesystem::copy_file(probe_binary(), jails.root() + "/data/probe");
  put_file(jails.root() + "/etc/file", "text\n");
  const std::string rules = "exec: [/bin], ro: [/etc, /data/probe], rw: [/tmp, /dev/null]";
  compare(jails, {"cat", "/etc/file"}, rules, "text", "text");
  compare(jails, {"put", "/etc/file", "x"}, rules, "ok", "EACCES");
  compare(jails, {"truncate", "/etc/file"}, rules, "ok", "EACCES");
  compare(jails, {"put", "/etc/new", "x"}, rules, "ok", "EACCES");
  compare(jails, {"put", "/bin/probe2", "x"}, rules, "ok", "EACCES");
  compare(jails, {"put", "/tmp/new", "x"}, rules, "ok", "ok");
  compare(jails, {"mkdir", "/tmp/new"}, rules, "ok", "ok");
  compare(jails, {"mkdir", "/data/new"}, rules, "ok", "EACCES");
  compare(jails, {"rename", "/etc/file", "/tmp/file"}, rules, "ok", "EACCES");
  compare(jails, {"put", "/dev/null", "x"}, rules, "ok", "ok");
  compare(jails, {"put", "/dev/zero", "x"}, rules, "ok", "EACCES");
  compare(jails, {"execute", "/bin/probe", "run"}, rules, "run", "run");
  compare(jails, {"execute", "/data/probe", "run"}, rules, "run", "EACCES");
  CHECK_EQ(jails.probe({"list", "/data"}, with(rules)).out, "EACCES\n");
  CHECK_EQ(jails.probe({"cat", "/proc/self/status"}, with(rules)).out, "EACCES\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("landlock: the whole root may be listed, and volumes and links are what they lead to") {
  if (!have_abi(3)) return;
  const Jails jails;
  const std::string source = jails.scratch() / "volume";
  std::filesystem::create_directory(source);
  put_file(source + "/file", "text");
  std::filesystem::create_symlink("/data", jails.root() + "/link");
  const Words volume = {"-v", source + ":/data"};
  CHECK_EQ(jails.probe({"cat", "/data/file"}, with("exec: [/]", volume)).out, "text");
  CHECK_EQ(jails.probe({"put", "/data/file", "x"}, with("exec: [/]", volume)).out, "EACCES\n");
  const std::string link = "exec: [/bin], rw: [/link]";
  CHECK_EQ(jails.probe({"put", "/data/file", "new"}, with(link, volume)).out, "ok\n");
  CHECK_EQ(file_bytes(source + "/file"), "new");
}

TEST_CASE("landlock: ports of TCP are the listed ones, on the jail's own loopback") {
  if (!have_abi(4)) return;
  const Jails jails;
  const std::string rules = "bind_tcp: [80, 81], connect_tcp: [81, 82]";
  const auto tcp = [](const char* port) { return Words{"tcp", port, "0"}; };
  compare(jails, tcp("80"), rules, "bind=ok connect=ok", "bind=ok connect=EACCES");
  compare(jails, tcp("81"), rules, "bind=ok connect=ok", "bind=ok connect=ok");
  compare(jails, tcp("82"), rules, "bind=ok connect=ok", "bind=EACCES connect=ECONNREFUSED");
  compare(jails, tcp("81"), "bind_tcp: []", "bind=ok connect=ok",
          "bind=EACCES connect=ECONNREFUSED");
  compare(jails, tcp("81"), "connect_tcp: []", "bind=ok connect=ok", "bind=ok connect=EACCES");
}

TEST_CASE("landlock: neither MPTCP nor TCP Fast Open gets around the ports, with either filter") {
  if (!have_abi(4)) return;
  const Jails jails;
  const Words mptcp = {"tcp", "80", "262"};
  const Words fast = {"fast-open", "80"};
  if (!contains(jails.probe(mptcp).out, "connect=ok")) return skip("no MPTCP in this kernel");
  for (const char* profile : {"default", "strict"}) {
    const Words limited = with("bind_tcp: [80], connect_tcp: []", {"--seccomp", profile});
    CHECK_EQ(jails.probe(mptcp, limited).out, "EPROTONOSUPPORT\n");
    CHECK_EQ(jails.probe(fast, {"--seccomp", profile}).out, "ok\n");
    CHECK_EQ(jails.probe(fast, limited).out, "EOPNOTSUPP\n");
  }
  const Ran open = jails.probe(mptcp, with("connect_tcp: []", {"--seccomp", "unconfined"}));
  CHECK_EQ(open.code, 125);
  CHECK_EQ(open.err,
           "jaula: --set landlock: with another filter than jaula's own MPTCP and TCP Fast Open "
           "get around the limits "
           "of TCP ports\n       set `seccomp` to default or strict, or `level: prefer` here\n");
}

TEST_CASE("landlock: what is done without is told and recorded, and exec goes by it") {
  if (!have_abi(4)) return;
  const Jails jails;
  const std::string what = "MPTCP and TCP Fast Open get around the limits of TCP ports";
  for (const Words& way :
       {with("connect_tcp: [], level: prefer", {"--seccomp", "unconfined"}),
        with("connect_tcp: []", {"--seccomp", "unconfined", "--degrade", "warn"}),
        with("connect_tcp: []",
             {"--seccomp", "unconfined", "--set", "require=[cgroup, seccomp, userns]"})}) {
    const std::string name = jails.name("less");
    jails.start(name, {"await", "TERM"}, way);
    CHECK(contains(jails.jaula({"inspect", name}).out, what));
    const Ran ran = jails.jaula({"exec", name, "/bin/probe", "tcp", "80", "0"});
    CHECK_EQ(ran.out, "bind=ok connect=EACCES\n");
    CHECK_EQ(ran.err, "");
    CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  }
  const Ran warned = jails.jaula({"run", "--set", "landlock={connect_tcp: [], level: prefer}",
                                  "--seccomp", "unconfined", jails.root(), "/bin/probe", "true"});
  CHECK_EQ(warned.code, 0);
  CHECK(contains(
      warned.err,
      "jaula: warning: --set landlock: with another filter than jaula's own " + what + "\n"));
}

TEST_CASE("landlock: abstract UNIX sockets of the host are out of reach with their scope") {
  if (!have_abi(6)) return;
  const Jails jails;
  const std::string name = jails.name("socket");
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  REQUIRE_EQ(::listen(listener.get(), 8), 0);
  const Words words = {"connect-abstract", name};
  CHECK_EQ(jails.probe(words, {"--network", "host"}).out, "ok\n");
  CHECK_EQ(jails.probe(words, with("scopes: [abstract_unix_socket]", {"--network", "host"})).out,
           "EPERM\n");
}

TEST_CASE("landlock: PID 1 does its work in the payload's domain, and stop signals arrive") {
  if (!have_abi(6)) return;
  const Jails jails;
  const Words rules = with("exec: [/bin], scopes: [signal]");
  const std::string name = jails.name("scoped");
  jails.start(name, {"await", "TERM"}, rules);
  CHECK_EQ(jails.jaula({"kill", "-s", "HUP", name}).code, 0);
  Program log(jails.command({"logs", "-f", name}), {});
  CHECK_EQ(log.line(), "ready");
  CHECK_EQ(log.line(), "HUP");
  CHECK_EQ(jails.jaula({"stop", "--keep", name}).code, 0);
  CHECK_EQ(log.line(), "TERM");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  // Of the same domain, both of them.
  CHECK_EQ(jails.probe({"signal", "1", "0"}, rules).out, "ok\n");
  CHECK_EQ(jails.probe({"orphan"}, with("scopes: [signal]", {"--timeout", "300ms"})).code, 124);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("landlock: exec is under the jail's rules, in a domain beside the payload's") {
  if (!have_abi(6)) return;
  const Jails jails;
  put_file(jails.root() + "/etc/file", "text");
  const auto answers = [&](const Words& options) {
    const std::string name = jails.name("joined");
    jails.start(name, {"await", "TERM"}, options);
    std::string text;
    for (const Words& words : {Words{"put", "/etc/file", "x"}, Words{"put", "/tmp/file", "x"},
                               Words{"tcp", "81", "0"}, Words{"signal", "2", "0"}}) {
      Words all = {"exec", name, "/bin/probe"};
      all.insert(all.end(), words.begin(), words.end());
      text += jails.jaula(all).out;
    }
    CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
    return text;
  };
  const std::string rules =
      "exec: [/bin], ro: [/etc], rw: [/tmp], connect_tcp: [80], scopes: [signal]";
  CHECK_EQ(answers({}), "ok\nok\nbind=ok connect=ok\nok\n");
  CHECK_EQ(answers(with(rules)), "EACCES\nok\nbind=ok connect=EACCES\nEPERM\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("landlock: exec goes on when a listed path is gone") {
  if (!have_abi(3)) return;
  const Jails jails;
  const std::string source = jails.scratch() / "volume";
  std::filesystem::create_directories(source + "/gone");
  const std::string name = jails.name("gone");
  jails.start(name, {"await", "TERM"},
              with("exec: [/bin], rw: [/data/gone]", {"-v", source + ":/data"}));
  std::filesystem::remove(source + "/gone");
  CHECK_EQ(jails.jaula({"exec", name, "/bin/probe", "put", "/data/x", "x"}).out, "EACCES\n");
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("landlock: with no-new-privileges:false, another user and the host's ids it holds too") {
  if (!have_abi(3)) return;
  const Jails jails;
  std::filesystem::permissions(jails.root() + "/tmp", std::filesystem::perms::all);
  const std::string rules = "exec: [/bin], rw: [/tmp]";
  std::vector<Words> ways = {{"--security-opt", "no-new-privileges:false"}, {"--init=false"}};
  if (::geteuid() == 0) {
    ways.push_back({"--userns", "host"});
    ways.push_back({"-u", "web", "--security-opt", "no-new-privileges:false"});
  }
  for (const Words& way : ways) {
    CAPTURE(way);
    CHECK_EQ(jails.probe({"list", "/etc"}, with(rules, way)).out, "EACCES\n");
    CHECK_EQ(jails.probe({"put", "/tmp/x", "x"}, with(rules, way)).out, "ok\n");
  }
}

TEST_CASE("bad landlock: a path that the root does not have is named with its line") {
  if (!have_abi(3)) return;
  const Jails jails;
  const std::string spec = jails.scratch() / "web.yaml";
  put_file(spec,
           "services:\n  web:\n    rootfs: ./root\n    command: [/bin/probe, 'true']\n"
           "    landlock:\n      exec: [/bin]\n      ro: [/etc, /srv/no]\n");
  for (const Words& way : {Words{"run"}, Words{"run", "-d"}}) {
    Words all = way;
    all.insert(all.end(), {"--name", jails.name("missing"), spec});
    const Ran ran = jails.jaula(all);
    CHECK_EQ(ran.code, 125);
    CHECK_EQ(without_warnings(ran.err),
             "jaula: " + spec +
                 ":7:18: services.web.landlock.ro[1]: landlock: open /srv/no: No such file or "
                 "directory\n       list what the jail has: its root and its mounts\n");
    CHECK_EQ(jails.left_behind(), "");
  }
}

TEST_CASE("bad landlock: a command outside of exec is 126, and the reason is said") {
  if (!have_abi(3)) return;
  const Jails jails;
  const Ran ran = jails.probe({"true"}, with("exec: [/etc]"));
  CHECK_EQ(ran.code, 126);
  CHECK_EQ(ran.err,
           "jaula: the command line: execute /bin/probe: Permission denied\n       with `landlock` "
           "it is executed from the paths of its `exec` alone, and so are its loader and its "
           "interpreter\n");
  CHECK_EQ(jails.probe({"true"}, with("exec: [/bin]")).code, 0);
}

TEST_CASE("landlock: config prints the key back, --set reaches into it, and a record keeps it") {
  const Jails jails;
  const std::string spec = jails.scratch() / "web.yaml";
  put_file(spec,
           "services:\n  web:\n    rootfs: host\n    command: ['true']\n"
           "    landlock: {exec: [/usr], bind_tcp: [], scopes: [signal]}\n");
  const Ran ran = jails.jaula({"config", "--set", "landlock.level=prefer", spec});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.out,
                 "    landlock:\n      exec: [/usr]\n      bind_tcp: []\n"
                 "      scopes: [signal]\n      level: prefer\n"));
  const std::string name = jails.name("kept");
  jails.start(name, {"await", "TERM"}, with("bind_tcp: [80], level: prefer"));
  CHECK(contains(jails.jaula({"inspect", name}).out, "\"bindTcp\""));
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

}  // namespace jaula::test

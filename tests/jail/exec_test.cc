#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

struct Running {
  Running(const Jails& jails, const std::string& suffix, const Words& options = {})
      : jails_(jails), name(jails.name(suffix)) {
    jails.start(name, {"await", "TERM"}, options);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { jails_.jaula({"rm", "-f", name}); }
  Ran exec(const Words& words, Words options = {}, const RunSettings& settings = {}) const {
    options.insert(options.begin(), "exec");
    options.push_back(name);
    options.insert(options.end(), words.begin(), words.end());
    return jails_.jaula(options, settings);
  }

 private:
  const Jails& jails_;

 public:
  std::string name;
};

}  // namespace

TEST_CASE("exec: the process is in the jail's namespaces and its cgroup") {
  const Jails jails;
  const Running jail(jails, "ns");
  const std::string init = "/proc/" + std::to_string(jails.init_pid(jail.name));
  for (const std::string kind : {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}) {
    CAPTURE(kind);
    CHECK_EQ(jail.exec({"probe", "link", "/proc/self/ns/" + kind}).out,
             jail.exec({"probe", "link", "/proc/2/ns/" + kind}).out);
  }
  if (!jails.cgroup(jail.name).empty())
    CHECK(contains(jail.exec({"probe", "cat", "/proc/self/cgroup"}).out, "0::/\n"));
}

TEST_CASE("exec: identity, filter, capabilities and limits are the jail's") {
  const Jails jails;
  const Running jail(jails, "same", {"--cap-drop", "KILL", "--ulimit", "nofile=100:200"});
  const std::string own = jail.exec({"probe", "cat", "/proc/2/status"}).out;
  const std::string status = jail.exec({"probe", "cat", "/proc/self/status"}).out;
  for (const char* field : {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd",
                            "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters"}) {
    CAPTURE(field);
    CHECK_EQ(status_field(status, field), status_field(own, field));
  }
  CHECK_EQ(status_field(status, "CapEff"), "00000000000000db");
  CHECK_EQ(jail.exec({"probe", "limit", "7"}).out, "100 200\n");
  CHECK_EQ(jail.exec({"probe", "unshare-user"}).out, "EPERM\n");
  CHECK_EQ(jail.exec({"probe", "fds"}).out, "0\n1\n2\n");
}

TEST_CASE("exec: the added groups and the score for a lack of memory are the jail's") {
  const Jails jails;
  const Running jail(jails, "added", {"--oom-score-adj", "900"});
  CHECK_EQ(jail.exec({"probe", "cat", "/proc/self/oom_score_adj"}).out, "900\n");
  if (contains(jails.probe({"cat", "/proc/self/setgroups"}).out, "deny"))
    return skip("one id alone is mapped here");
  const Running other(jails, "groups", {"--group-add", "extra"});
  CHECK(contains(other.exec({"probe", "ids"}).out, "groups=0,50 "));
  CHECK(contains(other.exec({"probe", "ids"}, {"-u", "33:7"}).out, "gid=7 groups=7,50 "));
}

TEST_CASE("exec: -u, -w and -e take effect, and another user has no capabilities") {
  const Jails jails;
  const Running jail(jails, "options");
  CHECK(contains(jail.exec({"probe", "ids"}, {"-w", "/tmp"}).out, "cwd=/tmp"));
  CHECK_EQ(jail.exec({"probe", "echo-env", "X"}, {"-e", "X=1"}).out, "1\n");
  for (const char* wrong : {"007", "-1", "4294967295", "root:", "a b"}) {
    const Ran refused = jail.exec({"probe", "ids"}, {"-u", wrong});
    CHECK_EQ(refused.code, 125);
    CHECK(contains(refused.err, "--user takes NAME|UID[:GROUP|GID], got \"" + std::string(wrong)));
  }
  CHECK(
      contains(jail.exec({"probe", "ids"}, {"-w", "tmp"}).err, "--workdir takes an absolute path"));
  if (jail.exec({"probe", "cat", "/proc/self/uid_map"}).out.ends_with(" 1\n"))
    return skip("one id alone is mapped here");
  const Ran ids = jail.exec({"probe", "ids"}, {"-u", "web"});
  CHECK_EQ(jail.exec({"probe", "echo-env", "HOME"}, {"-u", "web"}).out, "/srv\n");
  CHECK_EQ(jail.exec({"probe", "echo-env", "HOME"}, {"-u", "web", "-e", "HOME=/mine"}).out,
           "/mine\n");
  CHECK(contains(ids.out, "uid=33 gid=34 groups=34,50"));
  const std::string status = jail.exec({"probe", "cat", "/proc/self/status"}, {"-u", "web"}).out;
  CHECK_EQ(status_field(status, "CapEff"), "0000000000000000");
  CHECK_EQ(status_field(status, "CapBnd"), "0000000000000000");
}

TEST_CASE("exec: exit codes and standard input are those of run") {
  const Jails jails;
  const Running jail(jails, "codes");
  CHECK_EQ(jail.exec({"probe", "exit", "7"}).code, 7);
  CHECK_EQ(jail.exec({"probe", "kill-self", "9"}).code, 137);
  CHECK_EQ(jail.exec({"nothing"}).code, 127);
  CHECK_EQ(jail.exec({"/etc/passwd"}).code, 126);
  CHECK_EQ(jail.exec({"probe", "echo-stdin"}, {"-i"}, {.input = "in\n"}).out, "in\n");
  CHECK_EQ(jail.exec({"probe", "echo-stdin"}, {}, {.input = "in\n"}).out, "");
}

TEST_CASE("exec: a jail that is not there, or has ended, is refused") {
  const Jails jails;
  const Ran missing = jails.jaula({"exec", "nobody", "true"});
  CHECK_EQ(missing.code, 125);
  CHECK(contains(missing.err, "there is no jail nobody"));
  const std::string name = jails.name("ended");
  jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "true"});
  jails.jaula({"wait", name});
  const Ran ended = jails.jaula({"exec", name, "probe", "true"});
  CHECK_EQ(ended.code, 125);
  CHECK(contains(ended.err, "is not running"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("exec: what it started is gone when the jail stops") {
  const Jails jails;
  const std::string name = jails.name("stop");
  jails.start(name, {"await", "TERM"});
  Program inside(jails.command({"exec", name, "probe", "ignore-term"}), {});
  REQUIRE_EQ(inside.line(), "ready");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(inside.wait().code, 137);
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

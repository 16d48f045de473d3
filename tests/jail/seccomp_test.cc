// Profiles that a spec brings, through the real binary: the errno is what the payload saw.
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

// A deny-list of docker's form: `name` is answered `number`.
std::string profile(const std::string& name, int number) {
  return "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"" + name +
         "\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": " + std::to_string(number) + "}]}\n";
}

std::string put_profile(const Jails& jails, const std::string& text) {
  put_file(jails.scratch() / "profile.json", text);
  return jails.scratch() / "profile.json";
}

// A spec beside the profile, with this `seccomp:`.
std::string put_spec(const Jails& jails, const std::string& seccomp) {
  put_file(jails.scratch() / "web.yaml",
           "services:\n  web:\n    rootfs: " + jails.root() + "\n    seccomp: " + seccomp + "\n");
  return jails.scratch() / "web.yaml";
}

Ran run_spec(const Jails& jails, const std::string& seccomp, Words words) {
  words.insert(words.begin(), {"run", put_spec(jails, seccomp), "--", "/bin/probe"});
  Ran ran = jails.jaula(words);
  ran.err = without_warnings(ran.err);
  return ran;
}

void check_refused(const Jails& jails, const std::string& seccomp, const std::string& problem) {
  const Ran ran = run_spec(jails, seccomp, {"true"});
  CAPTURE(seccomp);
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, problem));
  CHECK(contains(ran.err, "nothing was started"));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace

TEST_CASE("jail: a file is the profile, by the key, the flag and docker's option") {
  const Jails jails;
  const std::string path = put_profile(jails, profile("mkdir", EXDEV));
  CHECK_EQ(jails.probe({"mkdir", "/tmp/d"}).out, "ok\n");
  CHECK_EQ(jails.probe({"mkdir", "/tmp/d"}, {"--seccomp", path}).out, "EXDEV\n");
  CHECK_EQ(jails.probe({"mkdir", "/tmp/d"}, {"--security-opt", "seccomp=" + path}).out, "EXDEV\n");
  CHECK_EQ(run_spec(jails, "./profile.json", {"mkdir", "/tmp/d"}).out, "EXDEV\n");
  CHECK_EQ(run_spec(jails, "profile.json", {"true"}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: a profile that refuses what a start needs is there for the payload all the same") {
  const Jails jails;
  const std::string allowed =
      "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 18, \"syscalls\": "
      "[{\"action\": "
      "\"SCMP_ACT_ALLOW\", \"names\": [\"execve\", \"exit_group\", \"write\", \"brk\", "
      "\"arch_prctl\", \"mmap\", \"mprotect\", \"newfstatat\", \"fstat\", \"readlink\", "
      "\"set_tid_address\"]}]}";
  const std::string path = put_profile(jails, allowed);
  for (const char* init : {"--init=true", "--init=false"}) {
    CAPTURE(init);
    const Ran ran = jails.probe({"mkdir", "/tmp/d"}, {init, "--seccomp", path});
    CHECK_EQ(ran.out, "EXDEV\n");
    CHECK_EQ(ran.code, EXDEV);
  }
  // Why nothing could be executed is said by who is not under it.
  const Ran missing = jails.jaula({"run", "--seccomp", path, jails.root(), "/bin/nothing"});
  CHECK_EQ(missing.code, 127);
  CHECK(contains(missing.err, "execute /bin/nothing: No such file or directory"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: PID 1 has the default filter beside a profile of the spec's") {
  const Jails jails;
  const std::string path = put_profile(jails, profile("mkdir", EXDEV));
  const Words options = {"--seccomp", path};
  // PID 1 gets it when the payload's execve is done; both run from then on.
  const std::string name = jails.name("init");
  jails.start(name, {"await", "TERM"}, options);
  const std::string status = "/proc/" + std::to_string(jails.init_pid(name)) + "/status";
  std::string filter = "0";
  for (int look = 0; filter == "0" && look < 100'000; ++look)
    filter = status_field(file_bytes(status), "Seccomp");
  CHECK_EQ(filter, "2");
  CHECK_EQ(status_field(file_bytes(status), "Seccomp_filters"), "1");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(status_field(jails.probe({"cat", "/proc/self/status"}, options).out, "Seccomp_filters"),
           "1");
}

TEST_CASE("jail: allow is a list of what there is, deny of what there is not") {
  const Jails jails;
  CHECK_EQ(run_spec(jails, "{allow: ['@basic-io', '@file-system']}", {"mkdir", "/tmp/d"}).out,
           "ok\n");
  CHECK_EQ(
      run_spec(jails, "{allow: ['@basic-io', '@file-system'], deny: [mkdir]}", {"mkdir", "/tmp/d"})
          .out,
      "EPERM\n");
  CHECK_EQ(run_spec(jails, "{deny: [mkdir]}", {"mkdir", "/tmp/d"}).out, "EPERM\n");
  CHECK_EQ(run_spec(jails, "{allow: [default], deny: [mkdir]}", {"unshare-user"}).out, "EPERM\n");
  // Let through, the kernel answers: none is to be had without `nesting`.
  CHECK_EQ(run_spec(jails, "{allow: [default, unshare]}", {"unshare-user"}).out, "ENOSPC\n");
  CHECK_EQ(run_spec(jails, "{allow: ['@system-service']}", {"socket", "40"}).out, "EAFNOSUPPORT\n");
  CHECK_EQ(
      run_spec(jails,
               "{allow: [default, {name: socket, args: [{index: 0, value: 2, op: SCMP_CMP_EQ}]}]}",
               {"socket", "1"})
          .out,
      "EPERM\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: mode log refuses nothing that the filter would") {
  const Jails jails;
  CHECK_EQ(run_spec(jails, "{deny: [mkdir]}", {"mkdir", "/tmp/d"}).out, "EPERM\n");
  CHECK_EQ(run_spec(jails, "{deny: [mkdir], mode: log}", {"mkdir", "/tmp/d"}).out, "ok\n");
  CHECK_EQ(run_spec(jails, "{mode: log}", {"unshare-user"}).out, "ENOSPC\n");
}

TEST_CASE("jail: a killing profile ends the payload, and the exit says so") {
  const Jails jails;
  const std::string path = put_profile(
      jails,
      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"name\": \"mkdir\", \"action\": "
      "\"SCMP_ACT_KILL_PROCESS\"}]}");
  CHECK_EQ(jails.probe({"mkdir", "/tmp/d"}, {"--seccomp", path}).code, 128 + 31);  // SIGSYS
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("plan: the filter that is printed is the one with which Landlock limits ports") {
  const Jails jails;
  const auto plan = [&](const char* option, const char* landlock) {
    return jails.jaula({"plan", option, "--set", landlock, jails.root(), "probe"}).out;
  };
  const char* without = "landlock={scopes: [signal], level: prefer}";
  const char* with = "landlock={connect_tcp: [80], level: prefer}";
  const std::string whole = jails.jaula({"plan", "--set", with, jails.root(), "probe"}).out;
  if (!contains(whole, "landlock connect_tcp")) return skip("no Landlock that limits TCP");
  for (const char* option : {"--syscalls", "--bpf"}) {
    CHECK_FALSE(contains(plan(option, without), "EOPNOTSUPP"));
    CHECK(contains(plan(option, with), "EOPNOTSUPP"));
  }
}

TEST_CASE("exec: the filter is the jail's when the profile's file is another, and gone") {
  const Jails jails;
  const std::string path = put_profile(jails, profile("mkdir", EXDEV));
  const std::string name = jails.name("file");
  jails.start(name, {"await", "TERM"}, {"--seccomp", path});
  const Words look = {"exec", name, "probe", "mkdir", "/tmp/d"};
  CHECK_EQ(jails.jaula(look).out, "EXDEV\n");
  put_file(path, profile("mkdir", ENOTDIR));
  CHECK_EQ(jails.jaula(look).out, "EXDEV\n");
  std::filesystem::remove(path);
  CHECK_EQ(jails.jaula(look).out, "EXDEV\n");
  const Ran map = jails.jaula({"exec", name, "probe", "cat", "/proc/self/uid_map"});
  if (map.out.ends_with(" 1\n"))
    skip("one id alone is mapped here");
  else
    CHECK_EQ(jails.jaula({"exec", "-u", "web", name, "probe", "mkdir", "/tmp/d"}).out, "EXDEV\n");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad spec: a profile that is wrong, with its place, and nothing is started") {
  const Jails jails;
  const std::string path = jails.scratch() / "profile.json";
  put_profile(jails, "{\"defaultAction\":\n \"SCMP_ACT_NOTIFY\"}");
  check_refused(jails, "./profile.json", path + ":2:2: defaultAction: SCMP_ACT_NOTIFY is not");
  put_profile(jails, "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n");
  check_refused(jails, "./profile.json", path + ":2:1: not JSON");
  put_profile(jails, profile("mkdri", 1));
  check_refused(jails, "./profile.json", "unknown system call \"mkdri\"; did you mean `mkdir`?");
  check_refused(jails, "./none.json",
                "web.yaml:4:14: services.web.seccomp: ./none.json: No such file or directory");
  REQUIRE_EQ(::mkfifo((jails.scratch() / "fifo.json").c_str(), 0600), 0);
  check_refused(jails, "./fifo.json", "./fifo.json: not a regular file");
  check_refused(jails, "{allow: [mkdri]}",
                "web.yaml:4:23: services.web.seccomp.allow[0]: unknown system call \"mkdri\"; did "
                "you mean `mkdir`?");
  check_refused(jails, "{deny: [execve]}", "without `execve` nothing can be started");
}

TEST_CASE("plan: the rules and the instructions of a filter can be read") {
  const Jails jails;
  const std::string spec = put_spec(jails, "{allow: [read], deny: [getrandom]}");
  const std::string rules = jails.jaula({"plan", "--syscalls", spec, "probe"}).out;
  CHECK(rules.starts_with("seccomp: lists, "));
  CHECK(contains(rules, "\nENOSYS i386, x32 and other architectures\n"));
  CHECK(contains(rules, " read "));
  const std::string bpf = jails.jaula({"plan", "--bpf", spec, "probe"}).out;
  CHECK(contains(bpf, "\n   0 ld [4]                       ; architecture\n"));
  CHECK(contains(bpf, " ; allow\n"));
  CHECK_FALSE(contains(bpf, "jail web"));
}

}  // namespace jaula::test

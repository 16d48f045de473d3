// The verbs that look: check, config, plan, doctor, version, ps, inspect, and everyone's --help.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/plan/host_facts.h"
#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::vector<std::string> examples() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(JAULA_SOURCE_DIR "/examples"))
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The verbs that `jaula --help` lists.
Words verbs(const Jails& jails) {
  Words names;
  std::istringstream lines(jails.jaula({"--help"}).out);
  std::string line;
  while (std::getline(lines, line) && line != "Verbs:") continue;
  while (std::getline(lines, line) && line.starts_with("  "))
    names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

json ps(const Jails& jails, Words options) {
  options.insert(options.begin(), {"ps", "--format", "json"});
  return json::parse(jails.jaula(options).out);
}

bool is_static(const std::string& path) {
  const std::string bytes = file_bytes(path);
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr program;
    const std::size_t at = header.e_phoff + i * header.e_phentsize;
    if (at + sizeof program > bytes.size()) return false;
    std::memcpy(&program, bytes.data() + at, sizeof program);
    if (program.p_type == PT_INTERP) return false;
  }
  return true;
}

// How many system calls the program makes after its execve, its exit among them; -1 when it cannot
// be traced.
int count_calls(const std::string& program, const char* argument) {
  Child child([&] {
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 1);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0) return 97;
    ::execl(program.c_str(), program.c_str(), argument, nullptr);
    return 97;
  });
  int status = 0;
  int count = 0;
  int resume = PTRACE_CONT;
  while (::waitpid(child.pid(), &status, 0) == child.pid() && WIFSTOPPED(status)) {
    const auto option = reinterpret_cast<void*>(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    if (resume == PTRACE_CONT) ::ptrace(PTRACE_SETOPTIONS, child.pid(), nullptr, option);
    resume = PTRACE_SYSCALL;
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child.pid(), sizeof info, &info);
    if (WSTOPSIG(status) == (SIGTRAP | 0x80) && info.op == PTRACE_SYSCALL_INFO_ENTRY) ++count;
    ::ptrace(PTRACE_SYSCALL, child.pid(), nullptr, nullptr);
  }
  child.wait();  // it has been: only the object learns of it
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? count : -1;
}

}  // namespace

TEST_CASE("check: every mistake is one line with its file, line and column, and the exit is 1") {
  const Jails jails;
  const std::string path = jails.scratch() / "four.yaml";
  put_file(path,
           "services:\n"
           "  web:\n"
           "    rootfs: host\n"
           "    mem_limt: 64m\n"
           "    pids_limit: -7\n"
           "    volumes: [/srv]\n"
           "  db:\n"
           "    rootfs: host\n"
           "    read_only: maybe\n");
  const Ran ran = jails.jaula({"check", path});
  CHECK_EQ(ran.code, 1);
  CHECK_EQ(ran.out, "");
  std::istringstream lines(ran.err);
  Words places;
  for (std::string line; std::getline(lines, line);) {
    REQUIRE(line.starts_with("jaula: " + path + ":"));
    places.push_back(
        line.substr(8 + path.size(), line.find(": ", 8 + path.size()) - 8 - path.size()));
  }
  CHECK_EQ(places, Words{"4:5", "5:17", "6:15", "9:16"});
}

TEST_CASE("check: good files give no word and exit 0, a bad one among them 1") {
  const Jails jails;
  const Ran good = jails.jaula([&] {
    Words words = examples();
    words.insert(words.begin(), "check");
    return words;
  }());
  CHECK_EQ(good.code, 0);
  CHECK_EQ(good.out + good.err, "");
  const std::string bad = jails.scratch() / "bad.yaml";
  put_file(bad, "services: 1\n");
  CHECK_EQ(jails.jaula({"check", bad, examples()[0]}).code, 1);
  CHECK_EQ(jails.jaula({"check"}).code, 125);
}

TEST_CASE("check: what no host would run is a problem of the file too") {
  const Jails jails;
  const std::string spec = jails.scratch() / "never.yaml";
  put_file(spec,
           "services:\n"
           "  a:\n"
           "    rootfs: host\n"
           "    command: [\"true\"]\n"
           "    ephemeral: false\n"
           "    sysctls: {kernel.panic: 1}\n"
           "  b:\n"
           "    rootfs: /not/there\n"
           "    user: somebody\n");
  const Ran ran = jails.jaula({"check", spec});
  CHECK_EQ(ran.code, 1);
  CHECK(contains(ran.err, "never.yaml:5:16: services.a.ephemeral: "));
  CHECK(contains(ran.err, "never.yaml:6:29: services.a.sysctls.kernel.panic: "));
  CHECK_FALSE(contains(ran.err, "services.b"));
}

TEST_CASE("check: - is standard input") {
  const Jails jails;
  const Ran good = jails.jaula({"check", "-"}, {.input = "services: {web: {rootfs: host}}\n"});
  CHECK_EQ(good.code, 0);
  CHECK_EQ(good.out + good.err, "");
  const Ran bad = jails.jaula({"check", "-"}, {.input = "services: {web: {rootfs: host, x: 1}}\n"});
  CHECK_EQ(bad.code, 1);
  CHECK_EQ(bad.err, "jaula: <stdin>:1:32: services.web.x: unknown key\n");
}

TEST_CASE("check: a warning is a problem with --strict alone") {
  const Jails jails;
  const RunSettings old{.input = "version: \"3\"\nservices: {web: {rootfs: host}}\n"};
  for (const bool strict : {false, true}) {
    const Ran ran =
        jails.jaula(strict ? Words{"check", "--strict", "-"} : Words{"check", "-"}, old);
    CHECK_EQ(ran.code, strict ? 1 : 0);
    CHECK_EQ(ran.err, "jaula: warning: <stdin>:1:10: version: obsolete, without effect\n");
  }
}

TEST_CASE("config: what it prints of each example reads back as the same bytes") {
  const Jails jails;
  const std::string again = jails.scratch() / "again.yaml";
  for (const std::string& path : examples()) {
    CAPTURE(path);
    const Ran first = jails.jaula({"config", path});
    REQUIRE_MESSAGE(first.code == 0, first.err);
    CHECK(contains(first.out, "services:\n"));
    put_file(again, first.out);
    const Ran second = jails.jaula({"config", again});
    CHECK_EQ(second.code, 0);
    CHECK_EQ(second.out, first.out);
  }
}

TEST_CASE("config: an override is in what it prints") {
  const Jails jails;
  const std::string path = JAULA_SOURCE_DIR "/examples/hello.yaml";
  const Ran ran = jails.jaula({"config", "--set", "pids_limit=7", "-m", "96m", path});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.out, "    pids_limit: 7\n"));
  CHECK(contains(ran.out, "    mem_limit: 96m\n"));
}

TEST_CASE("plan: of hello.yaml as root it is the golden one, and nothing is started") {
  const Jails jails;
  const plan::HostFacts facts = plan::probe_for_start();
  if (!facts.privileged()) return skip("the golden plan is that of root");
  if (facts.cgroups.parent.empty()) return skip("the golden plan has a cgroup");
  const Ran ran = jails.jaula({"plan", "examples/hello.yaml"}, {.directory = JAULA_SOURCE_DIR});
  CHECK_EQ(ran.code, 0);
  CHECK_EQ(without_warnings(ran.err), "");
  const std::string golden = JAULA_SOURCE_DIR "/tests/golden/hello.plan";
  if (::getenv("UPDATE_GOLDEN") != nullptr) put_file(golden, ran.out);
  CHECK_EQ(ran.out, file_bytes(golden));
  CHECK_FALSE(fs::exists(jails.state()));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("plan: a real-time stop signal has a name too") {
  const Jails jails;
  const Ran ran = jails.jaula({"plan", "--stop-signal", "RTMIN+3", jails.root(), "probe"});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.out, "stop with SIGRTMIN+3, after 10s kill\n"));
}

TEST_CASE("plan: with --all it has every line of the short one, and the userland's mounts") {
  const Jails jails;
  const Ran brief = jails.jaula({"plan", "host", "true"});
  const Ran full = jails.jaula({"plan", "--all", "host", "true"});
  CHECK_LT(brief.out.size(), full.out.size());
  CHECK_FALSE(contains(brief.out, " from /usr "));
  CHECK(contains(full.out, "mount bind /usr from /usr "));
}

TEST_CASE("doctor: its JSON has the documented members and names this kernel") {
  const Jails jails;
  const Ran ran = jails.jaula({"doctor", "--format", "json"});
  const json report = json::parse(ran.out);
  REQUIRE(report.is_object());
  CHECK_EQ(report.at("usable").get<bool>(), ran.code == 0);
  // Jails run here, so it must not say that they cannot.
  REQUIRE_EQ(jails.probe({"true"}).code, 0);
  CHECK_EQ(ran.code, 0);
  REQUIRE_FALSE(report.at("findings").empty());
  std::string kernel;
  for (const json& finding : report["findings"]) {
    CAPTURE(finding.dump());
    CHECK_EQ(finding.size(), 4);
    CHECK_NE(finding.at("check").get<std::string>(), "");
    CHECK_NE(finding.at("what").get<std::string>(), "");
    const std::string state = finding.at("state");
    CHECK((state == "ok" || state == "degraded" || state == "missing"));
    if (state == "ok") CHECK_EQ(finding.at("remedy").get<std::string>(), "");
    if (finding["check"] == "kernel") kernel = finding["what"];
    if (finding["check"] == "user namespaces" || finding["check"] == "proc" ||
        finding["check"] == "overlayfs")
      CHECK_EQ(state, "ok");
  }
  utsname name{};
  REQUIRE_EQ(::uname(&name), 0);
  CHECK(contains(kernel, std::string("Linux ") + name.release));
  const Ran text = jails.jaula({"doctor"});
  CHECK_EQ(text.code, ran.code);
  CHECK(contains(text.out, name.release));
}

TEST_CASE("version: the verb and the flag say the same") {
  const Jails jails;
  const Ran verb = jails.jaula({"version"});
  CHECK_EQ(verb.code, 0);
  CHECK(verb.out.starts_with("jaula "));
  CHECK_EQ(run({jaula_binary(), "--version"}).out, verb.out);
  CHECK_EQ(jails.jaula({"version", "surplus"}).code, 125);
}

TEST_CASE("version: --version makes at most 40 system calls") {
  if (!is_static(jaula_binary())) return skip("this jaula is linked dynamically");
  const int calls = count_calls(jaula_binary(), "--version");
  if (calls < 0) return skip("programs cannot be traced here");
  CHECK_GT(calls, 1);
  CHECK_LE(calls, 40);
}

TEST_CASE("help: every verb has one, with an example of its own") {
  const Jails jails;
  const Words names = verbs(jails);
  CHECK_GE(names.size(), 14);
  for (const std::string& verb : names) {
    CAPTURE(verb);
    const Ran ran = jails.jaula({verb, "--help"});
    CHECK_EQ(ran.code, 0);
    CHECK_EQ(ran.err, "");
    CHECK(contains(ran.out, "Usage: jaula " + verb));
    CHECK(contains(ran.out, "Example:\n  jaula " + verb));
  }
  CHECK_EQ(jails.jaula({"ls", "--help"}).out, jails.jaula({"ps", "--help"}).out);
  CHECK_EQ(jails.jaula({}).out, jails.jaula({"--help"}).out);
}

TEST_CASE(
    "ps: its JSON is an array of objects with the documented members, also when it is empty") {
  const Jails jails;
  CHECK_EQ(jails.jaula({"ps", "--format", "json"}).out, "[]\n");
  CHECK_EQ(jails.jaula({"ps", "--format", "ndjson"}).out, "");
  const std::string up = jails.name("up"), over = jails.name("over");
  jails.start(up, {"await", "TERM"}, {"-l", "tier=front"});
  CHECK_EQ(jails.jaula({"run", "-d", "--name", over, jails.root(), "probe", "exit", "3"}).code, 0);
  CHECK_EQ(jails.jaula({"wait", over}).out, "3\n");
  const json all = ps(jails, {"-a"});
  REQUIRE_EQ(all.size(), 2);  // sorted by name
  for (const json& row : all)
    for (const char* member : {"name", "status", "pid", "created", "command", "exitCode", "detail"})
      CHECK_MESSAGE(row.contains(member), member);
  CHECK_EQ(all[0]["name"], over);
  CHECK_EQ(all[0]["status"], "exited");
  CHECK_EQ(all[0]["pid"], 0);
  CHECK_EQ(all[0]["exitCode"], 3);
  CHECK_EQ(all[1]["name"], up);
  CHECK_EQ(all[1]["status"], "running");
  CHECK_EQ(all[1]["pid"], jails.init_pid(up));
  CHECK_EQ(all[1]["command"], json::array({"/bin/probe", "await", "TERM"}));
  CHECK(all[1]["exitCode"].is_null());
  CHECK(all[1]["created"].get<std::string>().ends_with("Z"));
  std::istringstream lines(jails.jaula({"ls", "-a", "--format", "ndjson"}).out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    CHECK_EQ(json::parse(line), all[count]);
  CHECK_EQ(count, 2);
  CHECK_EQ(jails.jaula({"rm", "-f", up, over}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("ps: -q prints names, and filters choose by name, status and label") {
  const Jails jails;
  const std::string up = jails.name("up"), over = jails.name("over");
  jails.start(up, {"await", "TERM"}, {"-l", "tier=front", "-l", "solo"});
  CHECK_EQ(
      jails.jaula({"run", "-d", "--name", over, "-l", "tier=back", jails.root(), "probe", "true"})
          .code,
      0);
  CHECK_EQ(jails.jaula({"wait", over}).code, 0);
  const auto names = [&](Words options) {
    options.insert(options.begin(), {"ps", "-q"});
    return jails.jaula(options).out;
  };
  CHECK_EQ(names({}), up + "\n");
  CHECK_EQ(names({"-a"}), over + "\n" + up + "\n");
  CHECK_EQ(names({"-a", "-f", "name=over"}), over + "\n");
  CHECK_EQ(names({"-f", "status=exited"}), over + "\n");
  CHECK_EQ(names({"-f", "status=running"}), up + "\n");
  CHECK_EQ(names({"-a", "-f", "label=tier"}), over + "\n" + up + "\n");
  CHECK_EQ(names({"-a", "-f", "label=tier=back"}), over + "\n");
  CHECK_EQ(names({"-a", "-f", "label=solo"}), up + "\n");
  CHECK_EQ(names({"-a", "-f", "label=tier", "-f", "status=running"}), up + "\n");
  CHECK_EQ(names({"-a", "-f", "label=none"}), "");
  CHECK_EQ(names({"-a", "-q", "--format", "json"}), over + "\n" + up + "\n");
  const Ran wrong = jails.jaula({"ps", "-f", "colour=red"});
  CHECK_EQ(wrong.code, 125);
  CHECK(contains(wrong.err, "--filter takes name=, status= or label=, got colour=red"));
  CHECK_EQ(jails.jaula({"ps", "-f", "status=sleeping"}).code, 125);
  CHECK_EQ(jails.jaula({"rm", "-f", up, over}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("inspect: an unknown name is 125, with the nearest one, and the known are printed") {
  const Jails jails;
  const std::string name = jails.name("known");
  jails.start(name, {"await", "TERM"});
  const Ran ran = jails.jaula({"inspect", jails.name("knwon"), name});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "there is no jail " + jails.name("knwon")));
  CHECK(contains(ran.err, "did you mean `" + name + "`?"));
  const json list = json::parse(ran.out);
  REQUIRE_EQ(list.size(), 1);
  CHECK_EQ(list[0]["name"], name);
  CHECK_EQ(list[0]["config"]["process"]["args"], json::array({"/bin/probe", "await", "TERM"}));
  const Ran far = jails.jaula({"inspect", "entirely-different"});
  CHECK_EQ(far.code, 125);
  CHECK(contains(far.err, "there is no jail entirely-different"));
  const Ran table = jails.jaula({"inspect", "--format", "table", name});
  CHECK(contains(table.out, "config.process.args.0"));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

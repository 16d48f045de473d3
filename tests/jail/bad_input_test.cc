// What a person gets wrong, and what breaks under a jail: the exit code, the words that say what to
// do, and that nothing is left behind.
#include <elf.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

constexpr uid_t kNobody = 65534;

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// `jaula words…` ends with `code`, says each of `parts`, prints no result and leaves nothing.
void check_refused(const Jails& jails, const Words& words, int code, const Words& parts) {
  const Ran ran = jails.jaula(words);
  std::string line;
  for (const std::string& word : words) line += " " + word;
  INFO(line << "\n" << ran.err);
  CHECK_EQ(ran.code, code);
  CHECK_EQ(ran.out, "");
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(ran.err, part));
  }
  CHECK_EQ(jails.left_behind(), "");
}

// The same of `run` in the foreground and detached.
void check_run_refused(const Jails& jails, const Words& words, int code, const Words& parts) {
  check_refused(jails, joined({"run"}, words), code, parts);
  check_refused(jails, joined({"run", "-d"}, words), code, parts);
}

std::string put_spec(const Jails& jails, const std::string& text) {
  const std::string path = jails.scratch() / "web.yaml";
  put_file(path, text);
  return path;
}

// A spec of one service; `keys` begin in line 4, column 5.
std::string service(const Jails& jails, const std::string& keys) {
  return "services:\n  web:\n    rootfs: " + jails.root() + "\n" + keys;
}

// A spec is refused with exactly these problems; each begins with its line and column.
void check_spec_refused(const Jails& jails, const std::string& text, const Words& problems) {
  const std::string path = put_spec(jails, text);
  std::string expected;
  for (const std::string& problem : problems) expected += "jaula: " + path + ":" + problem + "\n";
  expected += "jaula: " + path + ": " + std::to_string(problems.size()) + " problem" +
              (problems.size() == 1 ? "" : "s") + "; nothing was started\n";
  const Ran ran = jails.jaula({"run", path});
  CHECK_EQ(ran.code, 125);
  CHECK_EQ(ran.err, expected);
  CHECK_EQ(jails.left_behind(), "");
}

void put_program(const std::string& path, const std::string& bytes) {
  put_file(path, bytes);
  fs::permissions(path, fs::perms(0755));
}

std::string program_of_another_machine() {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_S390;  // which is big-endian: no emulator is registered for this either
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// Jails recorded below a state directory that is not the test's own.
std::string records(const std::string& state) {
  std::string text;
  if (!fs::exists(state + "/run")) return text;
  for (const auto& entry : fs::directory_iterator(state + "/run"))
    text += "record " + entry.path().string() + "\n";
  return text;
}

void say(const Pipe& pipe, const std::string& text) {
  if (::write(pipe.to(), text.data(), text.size()) < 0) ::abort();
}

nlohmann::json inspect(const Jails& jails, const std::string& name) {
  return nlohmann::json::parse(jails.jaula({"inspect", name}).out).at(0);
}

}  // namespace

TEST_CASE("bad spec: a file that is not there") {
  const Jails jails;
  const std::string path = jails.scratch() / "missing.yaml";
  check_run_refused(jails, {path}, 125, {path + ": No such file or directory\n"});
}

TEST_CASE("bad spec: a directory in place of the file") {
  const Jails jails;
  const std::string path = jails.scratch() / "directory.yaml";
  fs::create_directory(path);
  check_run_refused(jails, {path}, 125, {path + ": Is a directory\n"});
}

TEST_CASE("bad spec: an empty file") {
  const Jails jails;
  const std::string path = put_spec(jails, "");
  check_run_refused(jails, {path}, 125, {path + ": the file is empty", "`services:`"});
  check_run_refused(jails, {"-"}, 125, {"<stdin>: the file is empty", "`services:`"});
}

TEST_CASE("bad spec: what is not YAML") {
  const Jails jails;
  check_spec_refused(jails, "services: {web: [\n", {"1:17: not valid YAML: a `[` is not closed"});
  const std::string tab = put_spec(jails, "services:\n  web:\n\trootfs: host\n");
  check_run_refused(jails, {tab}, 125, {tab + ":3:2: not valid YAML: ", "indentation"});
  const std::string binary = put_spec(jails, {"\x7f"
                                              "ELF\0\1",
                                              6});
  check_run_refused(jails, {binary}, 125, {binary + ":1:1: a control character"});
}

TEST_CASE("bad spec: an unknown key, with the one that was meant") {
  const Jails jails;
  check_spec_refused(jails, service(jails, "    mem_limt: 64m\n"),
                     {"4:5: services.web.mem_limt: unknown key; did you mean `mem_limit`?"});
  check_spec_refused(jails, service(jails, "    qqqqqqqq: 1\n"),
                     {"4:5: services.web.qqqqqqqq: unknown key"});
  const std::string top = put_spec(jails, "service:\n  web:\n    rootfs: host\n");
  check_run_refused(jails, {top}, 125,
                    {top + ":1:1: service: unknown key; did you mean `services`?"});
}

TEST_CASE("bad spec: values of the wrong type, all of them at once") {
  const Jails jails;
  check_spec_refused(
      jails,
      service(jails,
              "    read_only: maybe\n    environment: 7\n    mem_limit: [64m]\n"
              "    volumes: {a: b}\n    command: {a: b}\n"),
      {"4:16: services.web.read_only: expected true or false, got \"maybe\"",
       "5:18: services.web.environment: expected a mapping or a list of NAME=value, got \"7\"",
       "6:16: services.web.mem_limit: expected a size such as 64m, got a list",
       "7:14: services.web.volumes: expected a list of volumes, got a mapping",
       "8:14: services.web.command: expected a list of words, or one string, got a mapping"});
}

TEST_CASE("bad spec: negative and absurd numbers") {
  const Jails jails;
  const std::string pids = "expected a whole number from 1 to 4194304, or -1 for no limit, got \"";
  check_spec_refused(
      jails,
      service(jails,
              "    mem_limit: -64m\n    cpus: 99999999999999999999\n    cpu_shares: 1\n"
              "    pids_limit: 99999999999999999999\n"
              "    stop_grace_period: 99999999999999999999h\n"),
      {"4:16: services.web.mem_limit: expected a size such as 64m, got \"-64m\"",
       "5:11: services.web.cpus: expected a number of CPUs such as 0.5, got "
       "\"99999999999999999999\"",
       "6:17: services.web.cpu_shares: expected a whole number from 2 to 262144, got \"1\"",
       "7:17: services.web.pids_limit: " + pids + "99999999999999999999\"",
       "8:24: services.web.stop_grace_period: expected a duration such as 1m30s, got "
       "\"99999999999999999999h\""});
  check_spec_refused(
      jails,
      service(jails,
              "    mem_limit: 16e9\n    cpus: -1\n    pids_limit: -7\n    cpu_shares: -2\n"
              "    stop_grace_period: -3s\n"),
      {"4:16: services.web.mem_limit: expected a size such as 64m, got \"16e9\"",
       "5:11: services.web.cpus: expected a number of CPUs such as 0.5, got \"-1\"",
       "6:17: services.web.pids_limit: " + pids + "-7\"",
       "7:17: services.web.cpu_shares: expected a whole number from 2 to 262144, got \"-2\"",
       "8:24: services.web.stop_grace_period: expected a duration such as 1m30s, got \"-3s\""});
}

TEST_CASE("bad flag: a value is refused in the words of its key, under the name of the flag") {
  const Jails jails;
  const Words target = {jails.root(), "/bin/probe", "true"};
  check_run_refused(jails, joined({"-m", "1"}, target), 125,
                    {"--memory: expected a size of at least 256k, such as 64m, got \"1\""});
  check_run_refused(jails, joined({"--cpus", "0"}, target), 125,
                    {"--cpus: expected a number of CPUs from 0.01 to 8192, got \"0\""});
  check_run_refused(jails, joined({"--pids-limit", "-5"}, target), 125,
                    {"--pids-limit: expected a whole number from 1 to 4194304", "got \"-5\""});
}

TEST_CASE("bad spec: a mistake in one service stops the others of the file too") {
  const Jails jails;
  const std::string path =
      put_spec(jails, service(jails,
                              "    command: [/bin/probe, ids]\n  db:\n    rootfs: host\n"
                              "    mem_limit: much\n"));
  const std::string problem =
      path + ":7:16: services.db.mem_limit: expected a size such as 64m, got \"much\"";
  check_run_refused(jails, {path}, 125, {problem, "1 problem; nothing was started"});
  check_run_refused(jails, {"--service", "web", path}, 125, {problem});
}

TEST_CASE("bad spec: several services and no choice, or the choice of one that is not there") {
  const Jails jails;
  const std::string path = put_spec(jails, service(jails, "  db:\n    rootfs: host\n"));
  check_run_refused(jails, {path}, 125, {"several services: web, db", "--service"});
  check_run_refused(jails, {"--service", "cache", path}, 125, {"--service", "cache"});
}

TEST_CASE("bad flag: --set with an unknown key or without a value") {
  const Jails jails;
  const Words target = {jails.root(), "/bin/probe", "true"};
  check_run_refused(jails, joined({"--set", "mem_limt=64m"}, target), 125,
                    {"--set mem_limt: unknown key; did you mean `mem_limit`?"});
  check_run_refused(jails, joined({"--set", "mem_limit"}, target), 125,
                    {"--set mem_limit: expected a size such as 64m, got nothing"});
}

TEST_CASE("bad word: an unknown verb or flag, with the one that was meant") {
  const Jails jails;
  check_refused(jails, {"inspct"}, 125, {"unknown verb inspct\n", "did you mean inspect?"});
  check_refused(jails, {"ecex", "web", "sh"}, 125, {"unknown verb ecex\n", "did you mean exec?"});
  check_refused(jails, {"frobnicate"}, 125, {"unknown verb frobnicate\n", "see `jaula --help`"});
  check_refused(jails, {"run", "--detahc", jails.root()}, 125,
                {"run: unknown option --detahc\n", "did you mean --detach?"});
  check_refused(jails, {"ps", "--fromat=json"}, 125,
                {"ps: unknown option --fromat\n", "did you mean --format?"});
  check_refused(jails, {"ps", "--xyzzy"}, 125,
                {"ps: unknown option --xyzzy\n", "see `jaula ps --help`"});
}

TEST_CASE("bad word: an unknown flag before the verb is compared with flags, not with verbs") {
  const Jails jails;
  check_refused(jails, {"--rooot", "/tmp", "ps"}, 125,
                {"unknown option --rooot\n", "did you mean --root?"});
  check_refused(jails, {"--run"}, 125, {"unknown option --run\n"});
  CHECK_FALSE(contains(jails.jaula({"--run"}).err, "did you mean run?"));
}

TEST_CASE("bad volume: its source is not there") {
  const Jails jails;
  check_run_refused(jails, {"-v", "/nowhere:/mnt", jails.root(), "/bin/probe", "true"}, 125,
                    {"--volume: mount /nowhere on /mnt: No such file or directory\n", "create it"});
  const std::string path =
      put_spec(jails, service(jails,
                              "    command: [/bin/probe, \"true\"]\n    volumes:\n"
                              "      - /nowhere:/mnt\n"));
  check_run_refused(jails, {path}, 125,
                    {path + ":6:9: services.web.volumes[0]: mount /nowhere on /mnt: No such file "
                            "or directory\n"});
}

TEST_CASE("bad volume: the machine's /proc is no source") {
  const Jails jails;
  for (const char* source : {"/proc", "/proc/1/root", "/proc/self/../sys"})
    check_run_refused(jails, {"-v", std::string(source) + ":/mnt", jails.root(), "probe", "true"},
                      125, {"--volume: the machine's /proc is no source of a volume\n"});
}

TEST_CASE("bad volume: its target is a link in the root") {
  const Jails jails;
  fs::create_symlink("tmp", jails.root() + "/link");
  const std::string file = jails.root() + "/etc/passwd";
  for (const std::string& source : {jails.root(), file})
    check_run_refused(jails, {"-v", source + ":/link", jails.root(), "/bin/probe", "true"}, 125,
                      {"--volume: mount " + source + " on /link: ", "/link is a link in the root\n",
                       "name the place it points to"});
  const std::string path =
      put_spec(jails, service(jails,
                              "    command: [/bin/probe, \"true\"]\n    tmpfs:\n"
                              "      - /link\n"));
  check_run_refused(jails, {path}, 125,
                    {path + ":6:9: services.web.tmpfs[0]: ", "/link is a link in the root\n"});
}

TEST_CASE("bad volume: a target of two thousand directories is made, or refused with a word") {
  const Jails jails;
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "/a";
  const Ran ran = jails.probe({"list", deep}, {"-v", jails.scratch() / "root:" + deep});
  CHECK_EQ(ran.err, "");
  CHECK(contains(ran.out, "bin\n"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad volume: its target is a FIFO in the root") {
  const Jails jails;
  REQUIRE_EQ(::mkfifo((jails.root() + "/fifo").c_str(), 0600), 0);
  const std::string file = jails.root() + "/etc/passwd";
  for (const std::string& source : {jails.root(), file})
    check_run_refused(jails, {"-v", source + ":/fifo", jails.root(), "/bin/probe", "true"}, 125,
                      {"--volume: mount " + source + " on /fifo: ", "/fifo is a FIFO in the root"});
}

TEST_CASE("bad volume: a directory on a file, and a file on a directory") {
  const Jails jails;
  const std::string file = jails.root() + "/etc/passwd";
  check_run_refused(
      jails, {"-v", jails.root() + ":/etc/passwd", jails.root(), "/bin/probe", "true"}, 125,
      {"--volume: ", "/etc/passwd is a file in the root", "a directory mounts on a directory"});
  check_run_refused(
      jails, {"-v", file + ":/tmp", jails.root(), "/bin/probe", "true"}, 125,
      {"--volume: ", "/tmp is a directory in the root", "a file mounts on a regular file"});
}

TEST_CASE("bad command: one that is not found is 127") {
  const Jails jails;
  check_run_refused(jails, {jails.root(), "nothere"}, 127,
                    {"execute nothere: No such file or directory\n", "PATH"});
  check_run_refused(jails, {jails.root(), "/bin/nothere"}, 127,
                    {"execute /bin/nothere: No such file or directory\n", "not in the root"});
  const std::string path = put_spec(jails, service(jails, "    command: [nothere]\n"));
  check_run_refused(jails, {path}, 127,
                    {path + ":4:14: services.web.command: execute nothere: No such file"});
}

TEST_CASE("bad command: a script whose interpreter is not there is 127, and says which script") {
  const Jails jails;
  put_program(jails.root() + "/bin/script", "#!/bin/nowhere\n");
  check_run_refused(jails, {jails.root(), "/bin/script"}, 127, {"/bin/script", "interpreter"});
  check_run_refused(jails, {jails.root(), "script"}, 127, {"/bin/script", "interpreter"});
}

TEST_CASE("bad command: what is not executable is 126") {
  const Jails jails;
  check_run_refused(jails, {jails.root(), "/etc/passwd"}, 126,
                    {"execute /etc/passwd: Permission denied\n"});
  check_run_refused(jails, {jails.root(), "/tmp"}, 126, {"execute /tmp: Permission denied\n"});
  fs::copy_file(jails.root() + "/etc/passwd", jails.root() + "/bin/plain");
  check_run_refused(jails, {jails.root(), "plain"}, 126,
                    {"execute /bin/plain: Permission denied\n"});
}

TEST_CASE("bad command: a program of another machine is 126") {
  const Jails jails;
  put_program(jails.root() + "/bin/foreign", program_of_another_machine());
  check_run_refused(jails, {jails.root(), "foreign"}, 126,
                    {"execute /bin/foreign: Exec format error\n", "wrong architecture"});
  check_run_refused(jails, {"--init=false", jails.root(), "foreign"}, 126,
                    {"execute /bin/foreign: Exec format error\n"});
}

TEST_CASE("bad command: exec has the same codes, and the jail lives on") {
  const Jails jails;
  const std::string name = jails.name("host");
  put_program(jails.root() + "/bin/foreign", program_of_another_machine());
  jails.start(name, {"await", "TERM"});
  const auto exec = [&](const Words& words) { return jails.jaula(joined({"exec"}, words)); };
  const Ran lost = exec({name, "nothere"});
  CHECK_EQ(lost.code, 127);
  CHECK(contains(lost.err, "execute nothere: No such file or directory\n"));
  const Ran plain = exec({name, "/etc/passwd"});
  CHECK_EQ(plain.code, 126);
  CHECK(contains(plain.err, "execute /etc/passwd: Permission denied\n"));
  const Ran foreign = exec({name, "foreign"});
  CHECK_EQ(foreign.code, 126);
  CHECK(contains(foreign.err, "execute /bin/foreign: Exec format error\n"));
  const Ran ghost = exec({"-u", "ghost", name, "/bin/probe", "true"});
  CHECK_EQ(ghost.code, 125);
  CHECK(contains(ghost.err, "there is no user ghost in the /etc/passwd of the root\n"));
  const Ran nowhere = exec({"-w", "/not/there", name, "/bin/probe", "true"});
  CHECK_EQ(nowhere.code, 125);
  CHECK(contains(nowhere.err, "enter the working directory /not/there: No such file"));
  const Ran stranger = exec({jails.name("hsot"), "/bin/probe", "true"});
  CHECK_EQ(stranger.code, 125);
  CHECK(contains(stranger.err, "did you mean `" + name + "`?"));
  CHECK_EQ(exec({name, "/bin/probe", "exit", "5"}).code, 5);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad sysctl, bad user: what the kernel alone can tell names the line of the spec, too") {
  const Jails jails;
  const auto spec = [&](const std::string& keys) {
    return put_spec(jails, service(jails, "    " + keys + "\n    command: [/bin/probe, 'true']\n"));
  };
  const std::string sysctl = spec("sysctls: {net.nosuch: 1}");
  check_run_refused(jails, {sysctl}, 125,
                    {sysctl + ":4:27: services.web.sysctls.net.nosuch: ", "net/nosuch"});
  if (::geteuid() != 0) return skip("only root's jails have an end of their ids that is known");
  const std::string user = spec("user: '70000'");
  check_run_refused(
      jails, {user}, 125,
      {user +
       ":4:11: services.web.user: user 70000:0 is none of the 65536 ids that the jail has\n"});
}

TEST_CASE("bad user: a name or a group that the root does not have") {
  const Jails jails;
  check_run_refused(
      jails, {"-u", "ghost", jails.root(), "/bin/probe", "true"}, 125,
      {"--user: there is no user ghost in the /etc/passwd of the root\n", "or give a number"});
  check_run_refused(jails, {"-u", "web:ghosts", jails.root(), "/bin/probe", "true"}, 125,
                    {"--user: there is no group ghosts in the /etc/group of the root\n"});
  const std::string path =
      put_spec(jails, service(jails, "    user: ghost\n    command: [/bin/probe, \"true\"]\n"));
  check_run_refused(jails, {path}, 125,
                    {path + ":4:11: services.web.user: there is no user ghost"});
}

TEST_CASE("bad working directory: one that is not there, or is a file") {
  const Jails jails;
  check_run_refused(jails, {"-w", "/not/there", jails.root(), "/bin/probe", "true"}, 125,
                    {"the working directory /not/there: No such file or directory\n", "make it"});
  check_run_refused(jails, {"-w", "/etc/passwd", jails.root(), "/bin/probe", "true"}, 125,
                    {"the working directory /etc/passwd: Not a directory\n"});
}

TEST_CASE("bad working directory: the message says where it was asked for") {
  const Jails jails;
  check_run_refused(jails, {"-w", "/not/there", jails.root(), "/bin/probe", "true"}, 125,
                    {"--workdir: "});
  const std::string path = put_spec(
      jails, service(jails, "    working_dir: /not/there\n    command: [/bin/probe, ids]\n"));
  check_run_refused(jails, {path}, 125, {path + ":4:18: services.web.working_dir: "});
}

TEST_CASE("bad root: one that is not there, or is a file") {
  const Jails jails;
  const std::string missing = jails.scratch() / "missing";
  const std::string file = jails.root() + "/etc/passwd";
  check_run_refused(jails, {missing, "/bin/probe"}, 125, {missing + ": No such file or directory"});
  check_run_refused(jails, {file, "/bin/probe"}, 125, {file + ": Not a directory"});
  const std::string path =
      put_spec(jails, "services:\n  web:\n    rootfs: ./missing\n    command: [/bin/probe]\n");
  check_run_refused(jails, {path}, 125,
                    {path + ":3:13: services.web.rootfs: ", missing + ": No such file"});
}

TEST_CASE("bad root: one that we may not read is called by its name") {
  const Jails jails;
  const std::string state = jails.scratch() / "nobody";
  fs::create_directory(state);
  fs::permissions(state, fs::perms::all);
  fs::permissions(jails.root(), fs::perms::none);
  Pipe said;
  Child child([&] {
    const bool drop = ::geteuid() == 0;
    if (drop && (::setgroups(0, nullptr) < 0 || ::setresgid(kNobody, kNobody, kNobody) < 0 ||
                 ::setresuid(kNobody, kNobody, kNobody) < 0))
      return 97;
    const Ran ran =
        run({jaula_binary(), "--root", state, "run", jails.root(), "/bin/probe", "true"});
    say(said, ran.err);
    return ran.code;
  });
  const int code = child.wait();
  const std::string text = said.take_all();
  fs::permissions(jails.root(), fs::perms(0755));
  if (code == 97) return skip("no other user can execute " + jaula_binary());
  INFO(text);
  CHECK_EQ(code, 125);
  CHECK(contains(text, jails.root()));
  CHECK(contains(text, ": Permission denied\n"));
  CHECK_EQ(records(state), "");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad name: what is no name is refused, for a root and for a spec") {
  const Jails jails;
  const std::string spec = put_spec(jails, service(jails, "    command: [/bin/probe, \"true\"]\n"));
  for (const std::string& name :
       {std::string(".hidden"), std::string("-dash"), std::string("_under"), std::string("a/b"),
        std::string(".."), std::string("../a"), std::string("a b"), std::string("a\nb"),
        std::string("\x1b[31mred"), std::string("\xc3\xa9t\xc3\xa9"), std::string(65, 'x')}) {
    check_refused(jails, {"run", "--name", name, jails.root(), "/bin/probe", "true"}, 125,
                  {"name"});
    check_refused(jails, {"run", "-d", "--name", name, spec}, 125, {"name"});
  }
  CHECK_EQ(jails.probe({"true"}, {"--name", std::string(64, 'x')}).code, 0);
}

TEST_CASE("bad name: the message names the flag, and cannot drive a terminal") {
  const Jails jails;
  const std::string spec = put_spec(jails, service(jails, "    command: [/bin/probe, \"true\"]\n"));
  for (const std::string& target : {jails.root(), spec}) {
    const Ran ran = jails.jaula({"run", "--name", "\x1b[31mred", target, "/bin/probe", "true"});
    INFO(ran.err);
    CHECK(contains(ran.err, "--name: "));
    CHECK(contains(ran.err, "\\x1b[31mred"));
    CHECK_FALSE(contains(ran.err, "\x1b"));
  }
}

TEST_CASE("bad name: an empty one is not taken for none") {
  const Jails jails;
  check_run_refused(jails, {"--name", "", jails.root(), "/bin/probe", "true"}, 125, {"--name"});
}

TEST_CASE("bad name: no verb leaves the state directory by it") {
  const Jails jails;
  const std::string victim = jails.state() + "/victim";
  fs::create_directories(victim);
  fs::create_directories(jails.state() + "/run");
  for (const Words& verb :
       {Words{"stop"}, Words{"kill"}, Words{"logs"}, Words{"wait"}, Words{"rm"}, Words{"rm", "-f"}})
    check_refused(jails, joined(verb, {"../victim"}), 125,
                  {"\"../victim\" cannot be the name of a jail\n"});
  check_refused(jails, {"exec", "../victim", "sh"}, 125, {"cannot be the name of a jail"});
  CHECK(fs::exists(victim));
}

TEST_CASE("name in use: the second jail is refused, and the first lives on") {
  const Jails jails;
  const std::string name = jails.name("taken");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  for (const Words& run : {Words{"run", "--name", name}, Words{"run", "-d", "--name", name}}) {
    const Ran ran = jails.jaula(joined(run, {jails.root(), "/bin/probe", "ids"}));
    CHECK_EQ(ran.code, 125);
    CHECK_EQ(ran.out, "");
    CHECK(contains(ran.err, "the name " + name + " is in use"));
    CHECK(contains(ran.err, "`jaula rm -f " + name + "`"));
  }
  CHECK(process_lives(init));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("name in use: a jail of another state directory is not ended by one of the same name") {
  const Jails jails, others;
  const std::string name = jails.name("twin");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  others.jaula({"run", "-d", "--name", name, others.root(), "/bin/probe", "await", "TERM"});
  CHECK(process_lives(init));
  CHECK_EQ(others.jaula({"rm", "-f", name}).code, 0);
  CHECK(process_lives(init));
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
  CHECK_EQ(others.left_behind(), "");
}

TEST_CASE("full disk: a jail that cannot be recorded is not started") {
  const Jails jails;
  fs::create_directories(jails.state());
  for (const bool filled :
       {false, true}) {  // not filled: there is room for the exit, not the state
    if (!filled && ::geteuid() != 0) continue;
    for (const Words& how : {Words{}, Words{"-d"}}) {
      Pipe said;
      Child child([&] {
        if (!mount_small_disk(jails.state(), "4k")) return kNoSmallDisk;
        if (filled) put_file(jails.state() + "/fill", std::string(8192, 'x'));
        const Ran ran = jails.probe({"ids"}, how);
        say(said, ran.out + ran.err + records(jails.state()));
        return ran.code;
      });
      const int code = child.wait();
      if (code == kNoSmallDisk) return skip("no tmpfs can be mounted here");
      const std::string text = said.take_all();
      INFO(text);
      CHECK_EQ(code, 125);
      CHECK(text.starts_with("jaula: " + jails.state() + "/run/"));
      CHECK(text.ends_with(": No space left on device\n"));
      CHECK_EQ(jails.left_behind(), "");
    }
  }
}

TEST_CASE("monitor killed: the jail ends with it, every verb says so, and rm clears it") {
  const Jails jails;
  const std::string name = jails.name("orphan");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name), monitor = jails.monitor_pid(name);
  Program waiter(jails.command({"wait", name}), {});
  REQUIRE_EQ(::kill(monitor, SIGKILL), 0);
  await_end(monitor);
  await_end(init);
  CHECK_FALSE(process_lives(init));
  CHECK_EQ(waiter.wait().out, "137\n");
  CHECK_EQ(nlohmann::json::parse(jails.jaula({"ps", "--format", "json"}).out).size(), 0);
  const auto all = nlohmann::json::parse(jails.jaula({"ps", "-a", "--format", "json"}).out);
  REQUIRE_EQ(all.size(), 1);
  CHECK_EQ(all[0]["status"], "exited");
  CHECK_EQ(all[0]["exitCode"], 137);
  CHECK(contains(all[0]["detail"], "monitor was killed"));
  CHECK(contains(jails.jaula({"ps", "-a"}).out, "monitor was killed"));
  const nlohmann::json record = inspect(jails, name);
  CHECK_EQ(record["status"], "exited");
  CHECK_EQ(record["exit"]["reason"], "monitor-lost");
  CHECK(contains(record["exit"]["detail"], "monitor was killed"));
  const Ran waited = jails.jaula({"wait", name});
  CHECK_EQ(waited.code, 0);
  CHECK_EQ(waited.out, "137\n");
  CHECK_EQ(jails.jaula({"logs", name}).out, "ready\n");
  CHECK_EQ(jails.jaula({"exec", name, "/bin/probe", "true"}).code, 125);
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("monitor killed: without the reaper the payload dies with it too") {
  const Jails jails;
  const std::string name = jails.name("bare");
  jails.start(name, {"await", "TERM"}, {"--init=false"});
  const int payload = jails.init_pid(name), monitor = jails.monitor_pid(name);
  REQUIRE_EQ(::kill(monitor, SIGKILL), 0);
  await_end(monitor);
  await_end(payload);
  CHECK_FALSE(process_lives(payload));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("launcher killed: the jail ends with it, and the next ps clears what is left") {
  const Jails jails;
  const std::string name = jails.name("front");
  Program program(jails.command({"run", "--name", name, jails.root(), "probe", "await", "TERM"}),
                  {});
  REQUIRE_EQ(program.line(), "ready");
  const int init = jails.init_pid(name);
  program.signal(SIGKILL);
  CHECK_EQ(program.wait().code, 137);
  await_end(init);
  CHECK_FALSE(process_lives(init));
  const Ran ps = jails.jaula({"ps", "-a", "-q"});
  CHECK_EQ(ps.code, 0);
  CHECK_EQ(ps.out, "");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("limits: one that this host cannot enforce is an error that names the controller") {
  struct Limit {
    const char *controller, *flag, *value;
  };
  const Jails jails;
  int missing = 0;
  for (const Limit& limit :
       {Limit{"memory", "--memory", "64m"}, Limit{"cpu", "--cpus", "0.5"},
        Limit{"cpu", "--cpu-shares", "512"}, Limit{"pids", "--pids-limit", "64"}}) {
    if (have_controller(limit.controller)) continue;
    ++missing;
    check_run_refused(
        jails, {limit.flag, limit.value, jails.root(), "/bin/probe", "ids"}, 125,
        {std::string(limit.flag) + ": cannot be enforced: no " + limit.controller + " controller"});
  }
  if (missing == 0) return skip("this host has every controller");
}

TEST_CASE(
    "limits: a spec's that cannot be enforced has its line, and a warning and a record with "
    "--degrade warn") {
  const Jails jails;
  if (have_controller("memory")) return skip("this host has the memory controller");
  const std::string path = put_spec(
      jails, service(jails, "    command: [/bin/probe, await, TERM]\n    mem_limit: 64m\n"));
  const std::string problem =
      path + ":5:16: services.web.mem_limit: cannot be enforced: no memory controller";
  check_run_refused(jails, {path}, 125, {"jaula: " + problem});
  const std::string name = jails.name("degraded");
  const Ran ran = jails.jaula({"run", "-d", "--degrade", "warn", "--name", name, path});
  CHECK_EQ(ran.code, 0);
  CHECK(contains(ran.err, "jaula: warning: " + problem));
  const nlohmann::json degraded = inspect(jails, name).at("degraded");
  CHECK(std::any_of(degraded.begin(), degraded.end(), [&](const nlohmann::json& line) {
    return line.get<std::string>().starts_with(problem);
  }));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

// --- the caller's own state

TEST_CASE("bad caller: closed standard descriptors become /dev/null, not descriptors of ours") {
  const Jails jails;
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    CAPTURE(closed);
    Words words = jails.command({"run", jails.root(), "/bin/probe", "fd-targets", "/tmp/fds"});
    // The payload's view is written to a volume: none of its three may be usable here.
    fs::create_directories(jails.scratch() / "out");
    fs::permissions(jails.scratch() / "out", fs::perms::all);
    words.insert(words.begin() + 4, {"-v", jails.scratch() / "out" + ":/tmp"});
    words.insert(words.begin(), {"sh", "-c", std::string("exec \"$@\" ") + closed, "sh"});
    CHECK_EQ(run(words).code, 0);
    const std::string seen = file_bytes(jails.scratch() / "out/fds");
    CHECK_MESSAGE(!contains(seen, jails.scratch().path()), seen);
    CHECK(contains(seen, "/dev/null"));
    fs::remove(jails.scratch() / "out/fds");
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad caller: a directory is not handed in as standard input") {
  const Jails jails;
  Words words = jails.command({"run", "-i", jails.root(), "/bin/probe", "true"});
  words.insert(words.begin(), {"sh", "-c", "exec \"$@\" </tmp", "sh"});
  const Ran ran = run(words);
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "standard input is a directory"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad caller: the umask does not reach into the jail") {
  const Jails jails;
  Words words =
      jails.command({"run", "--userns", "host", "-u", "33:34", jails.root(), "/bin/probe", "ids"});
  if (::geteuid() != 0) words = jails.command({"run", jails.root(), "/bin/probe", "ids"});
  words.insert(words.begin(), {"sh", "-c", "umask 0777; exec \"$@\"", "sh"});
  const Ran ran = run(words);
  CHECK_MESSAGE(ran.code == 0, ran.err);
  Words host = jails.command({"run", "host", "sh", "-c", "stat -c %a /tmp /var/tmp /etc; umask"});
  host.insert(host.begin(), {"sh", "-c", "umask 077; exec \"$@\"", "sh"});
  CHECK_EQ(run(host).out, "1777\n1777\n755\n0022\n");
}

TEST_CASE("bad caller: limits for the payload do not bind what makes the jail") {
  const Jails jails;
  CHECK_EQ(jails.probe({"limit", "7"}, {"--ulimit", "nofile=3"}).out, "3 3\n");
  CHECK_EQ(jails.jaula({"run", "--ulimit", "fsize=0", "host", "echo", "hi"}).out, "hi\n");
}

TEST_CASE(
    "bad state directory: what jaula has not made is neither listed, nor changed, nor deleted") {
  const Jails jails;
  const std::string foreign = jails.scratch() / "foreign";
  fs::create_directories(foreign + "/run/web/sub");
  fs::create_directories(foreign + "/data/web");
  put_file(foreign + "/run/web/sub/file", "precious");
  put_file(foreign + "/data/web/db", "precious");
  const auto on = [&](const Words& words) {
    Words all = {jaula_binary(), "--root", foreign};
    all.insert(all.end(), words.begin(), words.end());
    return run(all);
  };
  fs::permissions(foreign + "/run", fs::perms(0755));
  const Ran refused = on({"ps"});
  CHECK_EQ(refused.code, 125);
  CHECK(contains(refused.err, "use " + foreign + "/run: Operation not permitted"));
  CHECK_EQ(fs::status(foreign + "/run").permissions(), fs::perms(0755));

  fs::permissions(foreign + "/run", fs::perms(0700));
  CHECK_EQ(on({"ps", "-a", "-q"}).out, "");
  CHECK_EQ(on({"rm", "-f", "web"}).code, 125);
  const Ran ran = on({"run", "--name", "web", jails.root(), "/bin/probe", "true"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "jaula has not made what is in it"));
  // A start that fails takes its own with it.
  CHECK_EQ(on({"run", "--name", "db", jails.root(), "/bin/nothere"}).code, 127);
  CHECK_EQ(file_bytes(foreign + "/run/web/sub/file"), "precious");
  CHECK_EQ(file_bytes(foreign + "/data/web/db"), "precious");
}

TEST_CASE("plan: it makes no directory of the host's, run does") {
  const Jails jails;
  const std::string made = jails.scratch() / "made/deep";
  const Words volume = {"--set", "volumes=[{type: bind, source: " + made +
                                     ", target: /tmp, bind: {create_host_path: true}}]"};
  Words words = {"plan"};
  words.insert(words.end(), volume.begin(), volume.end());
  words.insert(words.end(), {jails.root(), "/bin/probe", "true"});
  const Ran planned = jails.jaula(words);
  CHECK_MESSAGE(planned.code == 0, planned.err);
  CHECK_FALSE(fs::exists(jails.scratch() / "made"));
  words[0] = "run";
  const Ran ran = jails.jaula(words);
  CHECK_MESSAGE(ran.code == 0, ran.err);
  CHECK(fs::is_directory(made));
}

TEST_CASE("bad id map: one that lacks the payload's ids is a problem of the plan") {
  const Jails jails;
  if (::geteuid() != 0) return skip("a user's map is that of /etc/subuid");
  const Words map = {"--set", "userns_mode={uid: [\"1000:200000:10\"], gid: [\"1000:200000:10\"]}"};
  const Ran refused = jails.probe({"ids"}, map);
  CHECK_EQ(refused.code, 125);
  CHECK(contains(refused.err, "`userns_mode` maps no user 0 or no group 0"));
  Words fitting = map;
  fitting.insert(fitting.end(), {"-u", "1000:1000"});
  const Ran ran = jails.probe({"ids"}, fitting);
  CHECK_MESSAGE(contains(ran.out, "uid=1000 gid=1000"), ran.err);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("detach: a name that nobody could be told is not left running") {
  const Jails jails;
  Words words = jails.command(
      {"run", "-d", "--name", jails.name("full"), jails.root(), "/bin/probe", "await", "TERM"});
  words.insert(words.begin(), {"sh", "-c", "exec \"$@\" >/dev/full", "sh"});
  const Ran ran = run(words);
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "write standard output: No space left on device"));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

// Denied system calls, as the payload sees them and as they are counted.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

using Json = nlohmann::json;

Json denials_of(const Jails& jails, const std::string& name) {
  const Ran ran = jails.jaula({"inspect", name});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  return Json::parse(ran.out).at(0).at("denials");
}

// "keyctl 5, mkdir 1"
std::string counts(const Json& denials) {
  std::string text;
  for (const Json& call : denials.at("calls"))
    text += (text.empty() ? "" : ", ") + call.at("syscall").get<std::string>() + " " +
            std::to_string(call.at("count").get<int>());
  return text;
}

std::vector<Json> events_of(const Jails& jails, const Words& options) {
  Words words = {"events"};
  words.insert(words.end(), options.begin(), options.end());
  const Ran ran = jails.jaula(words);
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  std::vector<Json> events;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) events.push_back(Json::parse(line));
  return events;
}

std::string put_lists(const Jails& jails, const std::string& seccomp) {
  put_file(jails.scratch() / "web.yaml",
           "services:\n  web:\n    rootfs: " + jails.root() + "\n    seccomp: " + seccomp + "\n");
  return jails.scratch() / "web.yaml";
}

// The jail of a spec with `seccomp:`, whose payload has written "ready".
void start_lists(const Jails& jails, const std::string& name, const std::string& seccomp,
                 const Words& words) {
  Words all = {"run", "-d", "--name", name, put_lists(jails, seccomp), "/bin/probe"};
  all.insert(all.end(), words.begin(), words.end());
  const Ran ran = jails.jaula(all);
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  Program log(jails.command({"logs", "-f", name}), {});
  for (std::string line = log.line(); line != "ready"; line = log.line())
    REQUIRE_FALSE(log.ended());
}

}  // namespace

TEST_CASE("denials: each denied call gets EPERM and is counted, and no allowed one") {
  const Jails jails;
  const std::string name = jails.name("count");
  Words words = {"run", "-d", "--name", name, jails.root(), "/bin/probe", "deny", "7"};
  REQUIRE_EQ(jails.jaula(words).code, 0);
  REQUIRE_EQ(jails.jaula({"wait", name}).out, "0\n");
  CHECK_EQ(jails.jaula({"logs", name}).out, "refused 7\n");
  const Json denials = denials_of(jails, name);
  CHECK_EQ(counts(denials), "keyctl 7");
  CHECK_EQ(denials.at("others"), 0);
  CHECK_EQ(denials.at("reported"), true);
  const Json& call = denials.at("calls").at(0);
  CHECK_EQ(call.at("arguments"), Json({1, 2, -3, 4, 5}));
  CHECK_EQ(call.at("errno"), "EPERM");
  CHECK_EQ(call.at("process").at("name"), "probe");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: with reports the errnos of a jail are those without") {
  const Jails jails;
  CHECK_EQ(jails.probe({"mount"}).out, "EPERM\n");
  CHECK_EQ(jails.probe({"unshare-user"}).out, "EPERM\n");
  CHECK_EQ(jails.probe({"socket", "40"}).out, "EAFNOSUPPORT\n");
  CHECK_EQ(jails.probe({"mount"}, {"--init=false"}).out, "EPERM\n");
  CHECK_EQ(jails.probe({"mount"}, {"--security-opt", "no-new-privileges:false"}).out, "EPERM\n");
  CHECK_EQ(jails.probe({"deny", "3"}, {"--seccomp", "strict"}).out, "refused 3\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: what exec starts is counted in the jail's record") {
  const Jails jails;
  const std::string name = jails.name("exec");
  jails.start(name, {"await", "TERM"});
  CHECK_EQ(counts(denials_of(jails, name)), "");
  CHECK_EQ(jails.jaula({"exec", name, "probe", "deny", "3"}).out, "refused 3\n");
  CHECK_EQ(jails.jaula({"exec", name, "probe", "mount"}).out, "EPERM\n");
  CHECK_EQ(jails.jaula({"exec", name, "probe", "deny", "2"}).out, "refused 2\n");
  CHECK_EQ(counts(denials_of(jails, name)), "keyctl 5, mount 1");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: events tells the start, the denials and the end, and ends with the jail") {
  const Jails jails;
  const std::string name = jails.name("events");
  jails.start(name, {"await", "TERM"});
  Program follow(jails.command({"events", "-f", name}), {});
  CHECK_EQ(Json::parse(follow.line()).at("type"), "start");
  CHECK_EQ(jails.jaula({"exec", name, "probe", "deny", "3"}).out, "refused 3\n");
  int counted = 0;
  while (counted < 3) {
    const Json event = Json::parse(follow.line());
    CHECK_EQ(event.at("type"), "denial");
    CHECK_EQ(event.at("syscall"), "keyctl");
    counted = event.at("count");
  }
  CHECK_EQ(counted, 3);
  CHECK_EQ(jails.jaula({"stop", "--keep", name}).code, 0);
  const Json end = Json::parse(follow.line());
  CHECK_EQ(end.at("type"), "exit");
  CHECK_EQ(end.at("reason"), "stopped");
  CHECK_EQ(follow.line(), "");
  CHECK_EQ(follow.wait().code, 0);

  const std::vector<Json> events = events_of(jails, {});  // of all jails
  REQUIRE_EQ(events.size(), 3);
  CHECK_EQ(events[1].at("jail"), name);
  CHECK_EQ(events_of(jails, {"--since", events[1].at("time"), name}).size(), 2);
  CHECK_EQ(events_of(jails, {"--until", events[1].at("time"), name}).size(), 2);
  const std::string table = jails.jaula({"events", "--format", "table", name}).out;
  CHECK(contains(table, " " + name +
                            " denial keyctl(0x1, 2, 0xfffffffffffffffd, 4, 5) EPERM, "
                            "3 times, last by probe["));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK(contains(jails.jaula({"events", name}).err, "there is no jail " + name));
  CHECK_EQ(jails.jaula({"events", "-f", "--format", "json"}).code, 125);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: a flood is counted to the last call, in a record that does not grow") {
  const Jails jails;
  const std::string name = jails.name("flood");
  jails.start(name, {"await", "TERM"});
  std::vector<std::unique_ptr<Program>> floods;
  for (int i = 0; i < 4; ++i)
    floods.push_back(std::make_unique<Program>(
        jails.command({"exec", name, "probe", "deny", "1500"}), RunSettings{}));
  for (const auto& flood : floods) CHECK_EQ(flood->wait().out, "refused 1500\n");
  CHECK_EQ(counts(denials_of(jails, name)), "keyctl 6000");
  CHECK_EQ(std::filesystem::file_size(jails.state() + "/run/" + name + "/denials"), 16384);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: while a jail does nothing but denied calls, its monitor keeps its time limit") {
  const Jails jails;
  const Ran ran = jails.probe({"deny", "2000000000"}, {"--timeout", "1s"});
  CHECK_EQ(ran.code, 124);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: a caller that is killed while it waits for its answer leaves no trace of it") {
  const Jails jails;
  const std::string name = jails.name("killed");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  Program flood(jails.command({"exec", name, "probe", "deny", "2000000000"}), {});
  while (counts(denials_of(jails, name)).empty()) {
  }
  flood.signal(SIGKILL);  // and with it goes what it started
  flood.wait();
  CHECK_EQ(jails.jaula({"exec", name, "probe", "deny", "3"}).out, "refused 3\n");
  CHECK(process_lives(init));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: without a monitor a denied call fails still, and waits for nobody") {
  const Jails jails;
  const std::string name = jails.name("orphan");
  const std::string shared = jails.scratch() / "shared";
  REQUIRE(std::filesystem::create_directory(shared));
  REQUIRE_EQ(::chmod(shared.c_str(), 0777), 0);
  // It asks to outlive its monitor, which a PID 1 of ours never does.
  jails.start(name, {"deny-later", "/shared/errno"}, {"--init=false", "-v", shared + ":/shared"});
  const int payload = jails.init_pid(name);
  const int monitor = jails.monitor_pid(name);
  ::kill(monitor, SIGKILL);
  await_end(monitor);
  REQUIRE(process_lives(payload));
  ::kill(payload, SIGUSR1);
  await_end(payload);
  CHECK_EQ(file_bytes(shared + "/errno"), "ENOSYS");
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("denials: a filter of the spec's reports too, and one that only logs denies nothing") {
  const Jails jails;
  const std::string name = jails.name("lists");
  for (const char* init : {"true", "false"}) {
    CAPTURE(init);
    const std::string lists = "{deny: [keyctl]}\n    init: " + std::string(init);
    start_lists(jails, name, lists, {"deny", "4", "TERM"});
    CHECK_EQ(counts(denials_of(jails, name)), "keyctl 4");
    CHECK_EQ(jails.jaula({"exec", name, "probe", "deny", "2"}).out, "refused 2\n");
    CHECK_EQ(counts(denials_of(jails, name)), "keyctl 6");
    CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  }
  start_lists(jails, name, "{deny: [keyctl], mode: log}", {"deny", "1", "TERM"});
  CHECK_EQ(counts(denials_of(jails, name)), "");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE(
    "denials: a filter through which nothing can be told denies all the same, and it is said") {
  const Jails jails;
  const std::string name = jails.name("silent");
  start_lists(jails, name, "{allow: ['@basic-io', '@file-system', '@signal']}",
              {"deny", "4", "TERM"});
  CHECK(contains(jails.jaula({"logs", name}).out, "refused 4\n"));
  CHECK_EQ(denials_of(jails, name).at("reported"), false);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE(
    "denials: what the last steps of a start are refused by a spec's filter holds nobody up") {
  const Jails jails;
  const std::string spec =
      put_lists(jails, "{deny: [faccessat, faccessat2, access, exit_group, exit, close]}");
  const Ran ran = jails.jaula({"run", spec, "/bin/none"});
  CHECK_EQ(ran.code, 127);
  CHECK(contains(ran.err, "execute /bin/none: No such file or directory"));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

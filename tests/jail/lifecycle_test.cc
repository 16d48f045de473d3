#include <fcntl.h>
#include <sys/file.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/state_store.h"
#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

nlohmann::json ps(const Jails& jails, Words options = {}) {
  options.insert(options.begin(), {"ps", "--format", "json"});
  return nlohmann::json::parse(jails.jaula(options).out);
}

// Returns when the program has a pidfd, or is gone.
void await_pidfd(pid_t program) {
  const std::filesystem::path descriptors = "/proc/" + std::to_string(program) + "/fd";
  for (std::error_code gone; process_lives(program); std::this_thread::yield())
    for (const auto& entry : std::filesystem::directory_iterator(descriptors, gone))
      if (contains(std::filesystem::read_symlink(entry, gone), "[pidfd]")) return;
}

}  // namespace

TEST_CASE("life: a detached jail runs on, is listed, and stop leaves nothing of it") {
  const Jails jails;
  const std::string name = jails.name("web");
  jails.start(name, {"await", "TERM"});
  const nlohmann::json list = ps(jails);
  REQUIRE_EQ(list.size(), 1);
  CHECK_EQ(list[0]["name"], name);
  CHECK_EQ(list[0]["status"], "running");
  const int init = list[0]["pid"];
  const int monitor = jails.monitor_pid(name);
  CHECK(process_lives(init));
  CHECK(process_lives(monitor));
  const Ran stopped = jails.jaula({"stop", name});
  CHECK_EQ(stopped.code, 0);
  CHECK_EQ(stopped.out, name + "\n");
  CHECK_FALSE(process_lives(init));
  CHECK_FALSE(process_lives(monitor));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: the monitor is in a session of its own, so it outlives the terminal") {
  const Jails jails;
  const std::string name = jails.name("session");
  jails.start(name, {"await", "TERM"});
  const int monitor = jails.monitor_pid(name);
  CHECK_EQ(::getsid(monitor), monitor);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE(
    "life: the monitor of a detached jail is a fresh image, without the caller's environment") {
  const Jails jails;
  const std::string name = jails.name("fresh");
  Words words =
      jails.command({"run", "-d", "--name", name, jails.root(), "probe", "await", "TERM"});
  words.insert(words.begin(), {"sh", "-c", "exec 9</dev/zero; exec \"$@\"", "sh"});
  const Ran ran = run(words, {.environment = {{"TOKEN", "secret of the caller"}}});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  const std::string process = "/proc/" + std::to_string(jails.monitor_pid(name));
  Program log(jails.command({"logs", "-f", name}), {});
  REQUIRE_EQ(log.line(), "ready");  // which the new image has written
  CHECK(file_bytes(process + "/cmdline").starts_with(std::string("jaula\0monitor\0", 14) + name));
  CHECK_EQ(file_bytes(process + "/environ"), "");
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd"))
    CHECK_NE(std::filesystem::read_symlink(entry.path()), "/dev/zero");
  CHECK_EQ(file_bytes(process + "/comm"), "jaula\n");
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("life: a monitor that is quiet gives its memory back, and still does its work") {
  const Jails jails;
  const std::string name = jails.name("quiet");
  jails.start(name, {"await", "TERM"});
  const int monitor = jails.monitor_pid(name);
  // The pages of the program, which come back when they are used.
  const auto resident = [&] {
    const std::string status = file_bytes("/proc/" + std::to_string(monitor) + "/status");
    return std::stol("0" + status_field(status, "RssFile"));
  };
  // Work makes them more, quiet less: both are seen in turn, however slow this machine is.
  long most = 0;
  while (resident() >= most && process_lives(monitor)) {
    CHECK_EQ(jails.jaula({"kill", "-s", "USR1", name}).code, 0);
    for (int look = 0; look < 300 && resident() >= most; ++look) {
      most = std::max(most, resident());
      ::usleep(10'000);
    }
  }
  CHECK_GT(most, resident());
  CHECK_EQ(jails.jaula({"kill", "-s", "TERM", name}).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "0\n");
  CHECK(contains(jails.jaula({"logs", name}).out, "USR1\nTERM\n"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: nobody but `run -d` becomes a monitor") {
  const Jails jails;
  CHECK_EQ(jails.jaula({"monitor", "web"}).code, 125);
  const Ran ran =
      jails.jaula({"monitor", "web", "/run/x", "/run/y", "77", "78", "-1", "-1", "-1", "-1"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "take over descriptor 77"));
}

TEST_CASE("life: a payload that ignores the stop signal is killed after the grace period") {
  const Jails jails;
  const std::string name = jails.name("stubborn");
  jails.start(name, {"ignore-term"});
  const int init = jails.init_pid(name);
  CHECK_EQ(jails.jaula({"stop", "--time", "200ms", name}).code, 0);
  CHECK_FALSE(process_lives(init));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: stop ends what the payload started and lost sight of") {
  const Jails jails;
  const std::string name = jails.name("orphans");
  jails.start(name, {"orphan"});
  CHECK_EQ(jails.jaula({"stop", "--time", "0s", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: stop --keep leaves the record and the log, rm deletes them") {
  const Jails jails;
  const std::string name = jails.name("kept");
  jails.start(name, {"await", "TERM"});
  CHECK_EQ(jails.jaula({"stop", "--keep", name}).code, 0);
  CHECK(ps(jails).empty());
  const nlohmann::json all = ps(jails, {"-a"});
  REQUIRE_EQ(all.size(), 1);
  CHECK_EQ(all[0]["status"], "exited");
  CHECK_EQ(all[0]["exitCode"], 0);
  CHECK_EQ(jails.jaula({"logs", name}).out, "ready\nTERM\n");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: a jail that ended by itself keeps its record until rm, and its name is free") {
  const Jails jails;
  const std::string name = jails.name("batch");
  CHECK_EQ(jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "exit", "5"}).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "5\n");
  REQUIRE_EQ(ps(jails, {"-a"}).size(), 1);
  CHECK_EQ(ps(jails, {"-a"})[0]["exitCode"], 5);
  CHECK_EQ(jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "exit", "6"}).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "6\n");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: --rm deletes the record when the jail ends, and a waiter still gets the code") {
  const Jails jails;
  const std::string name = jails.name("fleeting");
  jails.start(name, {"await", "TERM"}, {"--rm"});
  Program waiter(jails.command({"wait", name}), {});
  await_pidfd(waiter.pid());  // from here on it waits for the end of the monitor
  const int monitor = jails.monitor_pid(name);
  CHECK_EQ(jails.jaula({"kill", "-s", "TERM", name}).code, 0);
  await_end(monitor);
  CHECK_EQ(waiter.wait().out, "0\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: kill sends the signal it is told, and SIGKILL without one") {
  const Jails jails;
  const std::string name = jails.name("target");
  jails.start(name, {"await", "TERM"});
  // The reaper could not pass this one on, and would stand still itself.
  CHECK(contains(jails.jaula({"kill", "-s", "STOP", name}).err, "cannot pass SIGSTOP on"));
  CHECK_EQ(jails.jaula({"kill", "-s", "HUP", name}).code, 0);
  Program log(jails.command({"logs", "-f", name}), {});
  CHECK_EQ(log.line(), "ready");
  CHECK_EQ(log.line(), "HUP");
  CHECK_EQ(jails.jaula({"kill", name}).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "137\n");
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("life: a SIGCHLD that is sent reaches the payload, and its end is seen all the same") {
  const Jails jails;
  const std::string name = jails.name("chld");
  jails.start(name, {"await", "CHLD"});
  CHECK_EQ(jails.jaula({"kill", "-s", "CHLD", name}).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "0\n");
  CHECK(contains(jails.jaula({"logs", name}).out, "CHLD\n"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("life: kill --all reaches every process of the jail") {
  const Jails jails;
  const std::string name = jails.name("all");
  jails.start(name, {"await", "TERM"});
  if (jails.cgroup(name).empty()) {
    jails.jaula({"rm", "-f", name});
    return skip("jails have no cgroup on this host");
  }
  Program other(jails.command({"exec", name, "probe", "await", "TERM"}), {});
  REQUIRE_EQ(other.line(), "ready");
  CHECK_EQ(jails.jaula({"kill", "--all", "-s", "USR1", name}).code, 0);
  CHECK_EQ(other.line(), "USR1");
  Program log(jails.command({"logs", "-f", name}), {});
  CHECK_EQ(log.line(), "ready");
  CHECK_EQ(log.line(), "USR1");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
}

TEST_CASE("life: rm -f ends a foreground jail whose monitor is stopped, and the exit code stays") {
  const Jails jails;
  const std::string name = jails.name("held");
  Program program(jails.command({"run", "--name", name, jails.root(), "probe", "await", "TERM"}),
                  {});
  REQUIRE_EQ(program.line(), "ready");
  {
    // Who starts it has the lock until it is told that the payload runs.
    const Fd directory(::open((jails.state() + "/run/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE_EQ(::flock(directory.get(), LOCK_EX), 0);
  }
  program.signal(SIGSTOP);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  program.signal(SIGCONT);
  const Ran ran = program.wait();
  CHECK_EQ(ran.code, 137);
  CHECK_EQ(without_warnings(ran.err), "");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: wait and rm -f give up while somebody else holds the jail, and say who") {
  const Jails jails;
  const std::string name = jails.name("locked");
  jails.start(name, {"await", "TERM"});
  const Fd directory(::open((jails.state() + "/run/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE_EQ(::flock(directory.get(), LOCK_EX), 0);
  CHECK_EQ(jails.jaula({"wait", "--timeout", "100ms", name}).code, 124);
  const Ran refused = jails.jaula({"rm", "-f", name});
  CHECK_EQ(refused.code, 125);
  CHECK(contains(refused.err, "lock the jail " + name +
                                  ": Device or resource busy\n       process " +
                                  std::to_string(::getpid()) + " is starting or ending it"));
  REQUIRE_EQ(::flock(directory.get(), LOCK_UN), 0);
  const Ran removed = jails.jaula({"rm", "-f", name});
  CHECK_EQ(removed.err, "");
  CHECK_EQ(removed.code, 0);
}

TEST_CASE("life: wait --timeout gives up with 124") {
  const Jails jails;
  const std::string name = jails.name("slow");
  jails.start(name, {"await", "TERM"});
  const Ran ran = jails.jaula({"wait", "--timeout", "50ms", name});
  CHECK_EQ(ran.code, 124);
  CHECK(contains(ran.err, "has not ended"));
  // The time is for all of them: the second has none left.
  CHECK_EQ(jails.jaula({"wait", "--timeout", "50ms", name, name}).code, 124);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("life: rm refuses a running jail, rm -f ends it, and a missing one is fine with -f") {
  const Jails jails;
  const std::string name = jails.name("busy");
  jails.start(name, {"await", "TERM"});
  const Ran refused = jails.jaula({"rm", name});
  CHECK_EQ(refused.code, 125);
  CHECK(contains(refused.err, "is running"));
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_EQ(jails.jaula({"rm", name}).code, 125);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: rm -f works from the name alone when the record is torn") {
  const Jails jails;
  const std::string name = jails.name("torn");
  jails.start(name, {"await", "TERM"});
  const int init = jails.init_pid(name);
  const bool has_cgroup = !jails.cgroup(name).empty();
  put_file(jails.state() + "/run/" + name + "/state.json", "{\"half\": ");
  if (!has_cgroup) {
    ::kill(init, SIGKILL);  // without a cgroup nothing but the record knows the processes
    await_end(init);
  }
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_FALSE(process_lives(init));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: --replace ends the jail that has the name") {
  const Jails jails;
  const std::string name = jails.name("again");
  jails.start(name, {"await", "TERM"});
  const int first = jails.init_pid(name);
  jails.start(name, {"await", "TERM"}, {"--replace"});
  CHECK_FALSE(process_lives(first));
  const int second = jails.init_pid(name);
  CHECK_NE(second, first);
  // One that cannot start does not cost the one that runs.
  const Ran refused = jails.jaula({"run", "-d", "--replace", "--name", name, "-v", "/nowhere:/x",
                                   jails.root(), "probe", "true"});
  CHECK_EQ(refused.code, 125);
  CHECK_EQ(jails.init_pid(name), second);
  CHECK(process_lives(second));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: two jails never share host ids") {
  const Jails jails;
  if (::geteuid() != 0) return skip("an unprivileged user's jails share the user's own ranges");
  const std::string one = jails.name("one"), two = jails.name("two");
  jails.start(one, {"await", "TERM"});
  jails.start(two, {"await", "TERM"});
  const auto map = [&](const std::string& name) {
    return file_bytes("/proc/" + std::to_string(jails.init_pid(name)) + "/uid_map");
  };
  CHECK_NE(map(one), map(two));
  CHECK_EQ(jails.jaula({"stop", one, two}).out, one + "\n" + two + "\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: rm during a start waits, and then does not take the running jail") {
  const Jails jails;
  for (int round = 0; round < 5; ++round) {
    const std::string name = jails.name("race" + std::to_string(round));
    Program start(
        jails.command({"run", "-d", "--name", name, jails.root(), "probe", "await", "TERM"}), {});
    while (!std::filesystem::exists(jails.state() + "/run/" + name) && !start.ended()) {
    }
    const Ran removed = jails.jaula({"rm", name});
    const Ran started = start.wait();
    // It may have come before there was anything but the name, which the start then takes again.
    CHECK_EQ(started.code, 0);
    CHECK(process_lives(jails.init_pid(name)));
    if (removed.code != 0) CHECK(contains(removed.err, "is running"));
    jails.jaula({"rm", "-f", name});
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: a second SIGTERM to the monitor gives the payload no more time") {
  const Jails jails;
  const std::string name = jails.name("twice");
  jails.start(name, {"ignore-term"}, {"--stop-timeout", "1s"});
  const int monitor = jails.monitor_pid(name);
  while (process_lives(monitor)) {
    ::kill(monitor, SIGTERM);
    ::usleep(100'000);
  }
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("life: a launcher that is killed before its go leaves no process, name or cgroup") {
  const Jails jails;
  if (::geteuid() != 0) return skip("only root's jails wait for host ids");
  const std::string name = jails.name("orphan");
  // The launcher has cloned, finds that somebody had the ids, and waits for our lock to look
  // closer.
  jails.jaula({"run", "--name", name, jails.root(), "probe", "true"});
  const std::string ids = Roots{}.ids;
  const std::string link = ids + "/" + std::to_string(preferred_id_base(name));
  std::filesystem::create_symlink("/gone", link);
  Fd lock(::open(ids.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE_EQ(::flock(lock.get(), LOCK_EX), 0);
  Program start(jails.command({"run", "--name", name, jails.root(), "probe", "await", "TERM"}), {});
  const std::string process = "/proc/" + std::to_string(start.pid());
  std::string child;
  while (child.empty() && process_lives(start.pid()))
    child = file_bytes(process + "/task/" + std::to_string(start.pid()) + "/children");
  REQUIRE_FALSE(child.empty());
  start.signal(SIGKILL);
  start.wait();
  await_end(std::stoi(child));
  lock.reset();
  std::filesystem::remove(link);
  CHECK_EQ(jails.jaula({"ps", "-a", "-q"}).out, "");
  // Killed a moment earlier, it leaves its name alone.
  std::filesystem::create_directory(jails.state() + "/run/" + jails.name("empty"));
  CHECK_EQ(jails.jaula({"ps", "-a", "-q"}).out, "");
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

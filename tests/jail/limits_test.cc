#include <sstream>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

std::string trimmed(const std::string& path) {
  const std::string bytes = file_bytes(path);
  return bytes.substr(0, bytes.find_last_not_of('\n') + 1);
}

}  // namespace

TEST_CASE("limits: what the spec says stands in the jail's cgroup before it is born") {
  const Jails jails;
  for (const char* controller : {"memory", "cpu", "pids"})
    if (!have_controller(controller))
      return skip(std::string("no ") + controller + " controller for jails on this host");
  const std::string name = jails.name("limits");
  jails.start(name, {"await", "TERM"},
              {"-m", "64m", "--cpus", "0.5", "--cpu-shares", "512", "--pids-limit", "20"});
  const std::string cgroup = jails.cgroup(name);
  CHECK_EQ(trimmed(cgroup + "/memory.max"), "67108864");
  CHECK_EQ(trimmed(cgroup + "/cpu.max"), "50000 100000");
  CHECK_EQ(trimmed(cgroup + "/cpu.weight"), "59");
  CHECK_EQ(trimmed(cgroup + "/pids.max"), "20");
  CHECK(contains(file_bytes(cgroup + "/cgroup.procs"), std::to_string(jails.init_pid(name))));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("limits: a jail over mem_limit dies with 137 and says so") {
  const Jails jails;
  if (!have_controller("memory")) return skip("no memory controller for jails on this host");
  const Ran ran = jails.probe({"hog", "256"}, {"-m", "32m"});
  CHECK_EQ(ran.code, 137);
  CHECK(contains(ran.err, "out of memory: mem_limit of 33554432 bytes reached"));
  CHECK_EQ(jails.probe({"hog", "8"}, {"-m", "64m"}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("limits: pids_limit gives EAGAIN inside") {
  const Jails jails;
  if (!have_controller("pids")) return skip("no pids controller for jails on this host");
  // The reaper and the payload are two of the ten.
  CHECK_EQ(jails.probe({"forks", "50"}, {"--pids-limit", "10"}).out, "8 EAGAIN\n");
  CHECK_EQ(jails.probe({"forks", "12"}, {"--pids-limit", "50"}).out, "12 all\n");
}

TEST_CASE("limits: cpus throttles") {
  const Jails jails;
  if (!have_controller("cpu")) return skip("no cpu controller for jails on this host");
  const std::string name = jails.name("spin");
  jails.jaula(
      {"run", "-d", "--name", name, "--cpus", "0.1", jails.root(), "probe", "spin", "60000"});
  const std::string cgroup = jails.cgroup(name);
  // The kernel counts a throttled period as soon as one has passed; a jail that is never throttled
  // ends after its minute, with its cgroup, and fails the test.
  const auto throttled_periods = [&] {
    const std::string key = "nr_throttled ", stat = file_bytes(cgroup + "/cpu.stat");
    const std::size_t at = stat.find(key);
    return at == std::string::npos ? -1 : std::atol(stat.c_str() + at + key.size());
  };
  long periods = 0;
  while (periods == 0) periods = throttled_periods();
  CHECK_GT(periods, 0);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("limits: without a pids controller the default limit is held for each user") {
  const Jails jails;
  if (have_controller("pids")) return skip("this host has the pids controller");
  CHECK_EQ(jails.probe({"limit", "6"}).out, "2048 2048\n");  // RLIMIT_NPROC
  CHECK_EQ(jails.probe({"limit", "6"}, {"--ulimit", "nproc=30:40"}).out, "30 40\n");
  const Ran lower = run({"prlimit", "--nproc=900:900", jaula_binary(), "--root", jails.state(),
                         "run", jails.root(), "/bin/probe", "limit", "6"});
  CHECK_EQ(lower.out, "900 900\n");
  const std::string name = jails.name("bounded");
  jails.start(name, {"await", "TERM"});
  CHECK_EQ(jails.jaula({"exec", name, "probe", "limit", "6"}).out, "2048 2048\n");
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

}  // namespace jaula::test

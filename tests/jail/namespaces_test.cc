// Namespaces that a jail shares: with the host, or with another jail. Clocks of its own.
#include <sys/shm.h>
#include <time.h>

#include <sstream>

#include "runtime/plan/host_facts.h"
#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

std::string namespace_of(const std::string& process, const std::string& kind) {
  return std::filesystem::read_symlink("/proc/" + process + "/ns/" + kind);
}

bool is_root() { return plan::probe_for_start().privileged(); }

// What the payload sees in its /proc.
bool sees(const Ran& listing, int pid) {
  return contains("\n" + listing.out, "\n" + std::to_string(pid) + "\n");
}

struct Running {
  Running(const Jails& jails, const std::string& suffix, const Words& options = {},
          const Words& words = {"await", "TERM"})
      : jails_(jails), name(jails.name(suffix)) {
    jails.start(name, words, options);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { jails_.jaula({"rm", "-f", name}); }
  [[nodiscard]] std::string of(const std::string& kind) const {
    return namespace_of(std::to_string(jails_.init_pid(name)), kind);
  }
  Ran exec(const Words& words) const {
    Words all = {"exec", name, "/bin/probe"};
    all.insert(all.end(), words.begin(), words.end());
    return jails_.jaula(all);
  }

 private:
  const Jails& jails_;

 public:
  std::string name;
};

long long seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec;
}

}  // namespace

TEST_CASE("namespaces: what is the host's in the spec is the host's in the kernel") {
  const Jails jails;
  struct Row {
    const char *flag, *kind;
  };
  for (const Row& row : {Row{"--pid", "pid"}, Row{"--ipc", "ipc"}, Row{"--uts", "uts"},
                         Row{"--cgroupns", "cgroup"}, Row{"--network", "net"}}) {
    CAPTURE(row.flag);
    const std::string link = std::string("/proc/self/ns/") + row.kind;
    CHECK_EQ(jails.probe({"link", link}, {row.flag, "host"}).out,
             namespace_of("self", row.kind) + "\n");
    CHECK_NE(jails.probe({"link", link}, {row.flag, "private"}).out,
             namespace_of("self", row.kind) + "\n");
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("namespaces: pid host shows the host's processes, and the masks hold on that /proc") {
  const Jails jails;
  CHECK(sees(jails.probe({"list", "/proc"}, {"--pid", "host"}), ::getpid()));
  CHECK_FALSE(sees(jails.probe({"list", "/proc"}), ::getpid()));
  CHECK_EQ(jails.probe({"cat", "/proc/kallsyms"}, {"--pid", "host"}).out, "");
  CHECK_EQ(jails.probe({"put", "/proc/sys/kernel/domainname", "x"}, {"--pid", "host"}).out,
           "EROFS\n");
}

TEST_CASE("namespaces: pid host takes nothing from the end of a jail: signals, orphans, exec") {
  const Jails jails;
  const std::string name = jails.name("host-pid");
  jails.start(name, {"orphan"}, {"--pid", "host"});
  const int init = jails.init_pid(name);
  // The orphan came to our reaper: it is no child of the host's PID 1.
  int children = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string status = file_bytes(entry.path() / "status");
    if (status_field(status, "PPid") == std::to_string(init)) ++children;
  }
  CHECK_EQ(children, 2);
  CHECK_EQ(jails.jaula({"exec", name, "/bin/probe", "link", "/proc/self/ns/pid"}).out,
           namespace_of("self", "pid") + "\n");
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
  CHECK_FALSE(process_lives(init));
  const Ran ran = jails.probe({"await", "TERM"}, {"--pid", "host", "--timeout", "1ms"});
  CHECK_EQ(ran.code, 124);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE(
    "namespaces: ipc host is the host's shared memory, private is not, none has no /dev/shm") {
  const Jails jails;
  const key_t key = 0x4a000000 + ::getpid();
  const int id = ::shmget(key, 4096, IPC_CREAT | 0666);
  REQUIRE_GE(id, 0);
  const std::string text = std::to_string(key);
  CHECK_EQ(jails.probe({"shm", text, "0"}, {"--ipc", "host"}).out, "ok\n");
  CHECK_EQ(jails.probe({"shm", text, "0"}).out, "ENOENT\n");
  ::shmctl(id, IPC_RMID, nullptr);
  const std::string file = "/dev/shm/" + jails.name("shm");
  put_file(file, "of the host");
  CHECK_EQ(jails.probe({"cat", file}, {"--ipc", "host"}).out, "of the host");
  CHECK_EQ(jails.probe({"cat", file}).out, "ENOENT\n");
  std::filesystem::remove(file);
  const std::string none = jails.probe({"list", "/dev"}, {"--ipc", "none"}).out;
  CHECK_FALSE(contains(none, "shm"));
  CHECK_FALSE(contains(none, "mqueue"));
}

TEST_CASE("namespaces: uts host is the host's name, in the kernel and in the environment") {
  const Jails jails;
  const std::string host = file_bytes("/proc/sys/kernel/hostname");
  CHECK_EQ(jails.probe({"cat", "/proc/sys/kernel/hostname"}, {"--uts", "host"}).out, host);
  CHECK_EQ(jails.probe({"echo-env", "HOSTNAME"}, {"--uts", "host"}).out, host);
  const Ran ran = jails.probe({"true"}, {"--uts", "host", "-h", "cage"});
  CHECK_EQ(ran.code, 125);
  CHECK_EQ(ran.err,
           "jaula: --hostname: the host name is not the jail's own, by `uts` at --uts\n       "
           "leave one of "
           "them out\n");
}

TEST_CASE("namespaces: cgroup host shows the whole tree, and none of it can be written") {
  const Jails jails;
  const std::string name = jails.name("tree");
  const Running jail(jails, "tree", {"--cgroupns", "host"});
  const std::string own = jails.cgroup(name);
  if (own.empty()) return skip("no cgroup can be made here");
  const plan::HostFacts facts = plan::probe_for_start();
  const std::string inside = "/sys/fs/cgroup" + own.substr(facts.cgroups.mount.size());
  CHECK(contains(jail.exec({"cat", inside + "/cgroup.procs"}).out,
                 std::to_string(jails.init_pid(name)).substr(0, 0)));
  CHECK_EQ(jail.exec({"put", inside + "/cgroup.procs", "0"}).out, "EROFS\n");
  CHECK_EQ(jail.exec({"mkdir", inside + "/new"}).out, "EROFS\n");
}

TEST_CASE("namespaces: two jails in one network reach each other's loopback") {
  const Jails jails;
  if (!is_root()) return skip("joining takes root");
  const Running server(jails, "server", {}, {"listen-tcp", "7777"});
  const Words join = {"--network", "jail:" + server.name};
  CHECK_EQ(jails.probe({"connect-tcp", "7777"}, join).out, "ok\n");
  CHECK_EQ(jails.probe({"connect-tcp", "7777"}).out, "ECONNREFUSED\n");
  const Running client(jails, "client", join);
  CHECK_EQ(client.of("net"), server.of("net"));
  for (const char* kind : {"user", "pid", "mnt", "ipc", "uts"})
    CHECK_NE(client.of(kind), server.of(kind));
  // And so does what enters the one that joined.
  CHECK_EQ(client.exec({"connect-tcp", "7777"}).out, "ok\n");
  // Its /sys is of that network, not of the host's.
  std::string devices = client.exec({"list", "/sys/class/net"}).out;
  CHECK_EQ(devices, "lo\n");
  // Neither one has power over it.
  CHECK_EQ(client.exec({"put", "/proc/sys/net/ipv4/ip_forward", "1"}).out, "EROFS\n");
}

TEST_CASE("namespaces: a jail that joins another's processes sees them, and ends with them") {
  const Jails jails;
  if (!is_root()) return skip("joining takes root");
  const std::string first = jails.name("first");
  const std::string second = jails.name("second");
  jails.start(first, {"await", "TERM"});
  jails.start(second, {"await", "TERM"}, {"--pid", "jail:" + first});
  CHECK_EQ(namespace_of(std::to_string(jails.init_pid(second)), "pid"),
           namespace_of(std::to_string(jails.init_pid(first)), "pid"));
  const Ran seen = jails.jaula({"exec", first, "/bin/probe", "list", "/proc"});
  // Reaper and payload of each, and the probe itself.
  int processes = 0;
  std::istringstream names(seen.out);
  for (std::string word; names >> word;)
    if (word.find_first_not_of("0123456789") == std::string::npos) ++processes;
  CHECK_EQ(processes, 5);
  // Other ids: not theirs to signal.
  CHECK_EQ(jails.jaula({"exec", second, "/bin/probe", "signal", "1", "15"}).out, "EPERM\n");
  const int init = jails.init_pid(second);
  CHECK_EQ(jails.jaula({"stop", first}).code, 0);
  await_end(init);
  CHECK_EQ(jails.jaula({"wait", second}).out, "137\n");
  CHECK_EQ(jails.jaula({"rm", second}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("namespaces: IPC, host name and clock are joined, too, by a jail's name or by a file") {
  const Jails jails;
  if (!is_root()) return skip("joining takes root");
  const std::string name = jails.name("all");
  const Running jail(jails, "all", {"-h", "cage", "--set", "namespaces={time: {boottime: 1000h}}"});
  const std::string process = "/proc/" + std::to_string(jails.init_pid(name)) + "/ns/";
  for (const std::string& from : {"jail:" + name, std::string("ns")}) {
    const auto target = [&](const char* kind) {
      return from == "ns" ? "ns:" + process + kind : from;
    };
    const Running other(
        jails, "other",
        {"--ipc", target("ipc"), "--uts", target("uts"), "--network", target("net"), "--pid",
         target("pid"), "--set", "namespaces={time: \"" + target("time") + "\"}"});
    for (const char* kind : {"ipc", "uts", "net", "pid", "time"}) {
      CAPTURE(kind);
      CHECK_EQ(other.of(kind), jail.of(kind));
    }
    CHECK_NE(other.of("user"), jail.of("user"));
    CHECK_EQ(other.exec({"cat", "/proc/sys/kernel/hostname"}).out, "cage\n");
    CHECK_EQ(other.exec({"shm", "77", "1"}).out, "ok\n");
    CHECK_EQ(jail.exec({"shm", "77", "0"}).out, "ok\n");
    CHECK_GE(std::stoll(other.exec({"clock", "7"}).out),
             seconds(CLOCK_BOOTTIME) + 1000 * 3600 - 60);
  }
}

TEST_CASE("namespaces: what cannot be joined is refused by its name, and nothing is left") {
  const Jails jails;
  if (!is_root()) {
    const Ran ran = jails.probe({"true"}, {"--network", "jail:x"});
    CHECK_EQ(ran.code, 125);
    CHECK_EQ(ran.err,
             "jaula: --network: join the network namespace of jail:x: Operation not permitted\n"
             "       only root of the machine can; as a user, run both services in one jail\n");
    return;
  }
  const std::string missing = jails.name("missing");
  const Running host(jails, "host", {"--uts", "host"});
  struct Row {
    std::string flag, value, said;
  };
  const std::string file = jails.scratch() / "file";
  put_file(file, "");
  const Row rows[] = {
      {"--network", "jail:" + missing, "there is no jail " + missing},
      {"--network", "ns:" + file,
       file + " is no namespace\n       such files are /proc/PID/ns/NAME, and what is bound from "
              "there, as in /run/netns"},
      {"--network", "ns:/proc/self/ns/uts",
       "/proc/self/ns/uts is a namespace of another type than network"},
      {"--ipc", "ns:/proc/self/ns/ipc",
       "the ipc namespace of /proc/self/ns/ipc is the host's\n       say `host`, if that is what "
       "is "
       "meant"},
      {"--uts", "jail:" + host.name,
       "the uts namespace of jail:" + host.name +
           " is the host's\n       say `host`, if that is what is meant"},
  };
  for (const Row& row : rows) {
    const Ran ran = jails.probe({"true"}, {row.flag, row.value});
    CHECK_EQ(ran.code, 125);
    CHECK(ran.err.starts_with("jaula: " + row.flag + ": " + row.said));
  }
}

TEST_CASE("namespaces: a time namespace moves the clocks of the payload and of exec") {
  const Jails jails;
  const Running jail(jails, "late",
                     {"--set", "namespaces={time: {boottime: 1000h, monotonic: 500h}}"});
  const auto read = [&](const char* clock) { return std::stoll(jail.exec({"clock", clock}).out); };
  const long long boottime = seconds(CLOCK_BOOTTIME), monotonic = seconds(CLOCK_MONOTONIC);
  CHECK_GE(read("7"), boottime + 1000 * 3600);
  CHECK_GE(read("1"), monotonic + 500 * 3600);
  CHECK_LT(read("1"), monotonic + 501 * 3600);
  CHECK_NE(jail.exec({"link", "/proc/self/ns/time"}).out, namespace_of("self", "time") + "\n");
  // The payload itself, with PID 1 of ours and without.
  for (const char* init : {"--init", "--init=false"}) {
    const Ran ran =
        jails.probe({"clock", "7"}, {init, "--set", "namespaces={time: {boottime: 1000h}}"});
    REQUIRE_EQ(ran.code, 0);
    CHECK_GE(std::stoll(ran.out), boottime + 1000 * 3600);
  }
  CHECK_LT(std::stoll(jails.probe({"clock", "7"}).out), boottime + 3600);
  const Ran refused = jails.probe({"true"}, {"--set", "namespaces={time: {boottime: -9000d}}"});
  CHECK_EQ(refused.code, 125);
  CHECK(contains(refused.err, "no clock may come out below zero"));
}

TEST_CASE(
    "namespaces: without nesting none can be made, whatever the filter and the capabilities") {
  const Jails jails;
  CHECK_EQ(jails.probe({"unshare-user"}).out, "EPERM\n");
  const Words open = {"--seccomp", "unconfined"};
  CHECK_EQ(jails.probe({"unshare-user"}, open).out, "ENOSPC\n");
  const Words admin = {"--seccomp", "unconfined", "--cap-add", "SYS_ADMIN"};
  // 0x40000000 net, 0x20000000 pid, 0x04000000 uts
  for (const char* flags : {"1073741824", "536870912", "67108864"})
    CHECK_EQ(jails.probe({"unshare", flags}, admin).out, "ENOSPC\n");
  CHECK_EQ(jails.probe({"cat", "/proc/sys/user/max_user_namespaces"}).out, "0\n");
}

TEST_CASE("namespaces: with nesting a jail runs in a jail, with a depth less") {
  const Jails jails;
  const std::string directory = std::filesystem::path(jails.command({})[0]).parent_path();
  const Words options = {"--nesting", "1",      "--tmpfs", "/tmp",
                         "--tmpfs",   "/state", "-v",      jails.root() + ":/inner:ro"};
  const auto inside = [&](const Words& more, const Words& words) {
    // The leak check of a build with sanitizers traces itself, which a jail does not let it.
    Words all = {"run", "-e", "ASAN_OPTIONS=detect_leaks=0"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"host", "/jaula/jaula", "--root", "/tmp/state", "run"});
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), {"/inner", "--", "/bin/probe"});
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.begin() + 1, {"-v", directory + ":/jaula:ro"});
    return jails.jaula(all);
  };
  Ran ran = inside({}, {"link", "/proc/self"});
  CHECK_EQ(ran.code, 0);
  CHECK_EQ(ran.out, "2\n");  // PID 1 is the reaper
  INFO(ran.err);
  CHECK_EQ(inside({}, {"cat", "/proc/sys/user/max_user_namespaces"}).out, "0\n");
  CHECK(
      contains(inside({}, {"cat", "/proc/self/uid_map"}).out, "         0          0          1"));
  // The masks hold inside as well as around it.
  CHECK_EQ(inside({}, {"cat", "/proc/interrupts"}).out, "");
  ran = inside({"--nesting", "1"}, {"true"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "`nesting: 1` is deeper than what is left here: 64"));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

#include <linux/capability.h>
#include <sys/stat.h>

#include <sstream>

#include "runtime/plan/host_facts.h"
#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

std::string namespace_of(const std::string& process, const std::string& kind) {
  return std::filesystem::read_symlink("/proc/" + process + "/ns/" + kind);
}

constexpr const char* kKinds[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};

}  // namespace

TEST_CASE("jail: it has seven namespaces of its own") {
  const Jails jails;
  for (const std::string kind : kKinds) {
    CAPTURE(kind);
    const Ran ran = jails.probe({"link", "/proc/self/ns/" + kind});
    REQUIRE_EQ(ran.code, 0);
    if (kind == "cgroup" && jails.probe({"cat", "/proc/self/cgroup"}).out.empty()) continue;
    CHECK_NE(ran.out, namespace_of("self", kind) + "\n");
  }
}

TEST_CASE("jail: root inside is an unprivileged user outside") {
  const Jails jails;
  const std::string name = jails.name("ids");
  jails.start(name, {"await", "TERM"});
  struct stat info {};
  REQUIRE_EQ(::stat(("/proc/" + std::to_string(jails.init_pid(name))).c_str(), &info), 0);
  const std::string map = file_bytes("/proc/" + std::to_string(jails.init_pid(name)) + "/uid_map");
  std::uint64_t inside = 1, outside = 0, count = 0;
  std::istringstream(map) >> inside >> outside >> count;
  CHECK_EQ(inside, 0);
  CHECK_NE(outside, 0);
  if (::geteuid() == 0) {
    CHECK_EQ(count, 65536);
    CHECK_GE(outside, 524288);
  }
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
}

TEST_CASE("jail: no_new_privs, the filter and the trimmed bounding set hold in the payload") {
  const Jails jails;
  const std::string status = jails.probe({"cat", "/proc/self/status"}).out;
  CHECK_EQ(status_field(status, "NoNewPrivs"), "1");
  CHECK_EQ(status_field(status, "Seccomp"), "2");
  // CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"})
    CHECK_EQ(status_field(status, set), "00000000000000fb");
  for (const char* set : {"CapInh", "CapAmb"})
    CHECK_EQ(status_field(status, set), "0000000000000000");
}

TEST_CASE("jail: a user who is not root has no capabilities, and an added one takes effect") {
  const Jails jails;
  // Where one id alone is mapped the kernel allows no setgroups(2).
  const bool single = contains(jails.probe({"cat", "/proc/self/setgroups"}).out, "deny");
  CHECK(contains(jails.probe({"ids"}, {"-u", "web"}).out,
                 single ? "uid=33 gid=34 groups=" : "uid=33 gid=34 groups=34,50"));
  std::string status =
      jails.probe({"cat", "/proc/self/status"}, {"-u", "web", "--cap-add", "CHOWN"}).out;
  CHECK_EQ(status_field(status, "CapEff"), "0000000000000001");
  status = jails.probe({"cat", "/proc/self/status"}, {"-u", "web"}).out;
  for (const char* set : {"CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"})
    CHECK_EQ(status_field(status, set), "0000000000000000");
}

TEST_CASE("jail: capabilities are dropped and added") {
  const Jails jails;
  const auto effective = [&](const Words& options) {
    return status_field(jails.probe({"cat", "/proc/self/status"}, options).out, "CapEff");
  };
  CHECK_EQ(effective({"--cap-drop", "ALL"}), "0000000000000000");
  CHECK_EQ(effective({"--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"}), "0000000000000400");
  CHECK_EQ(effective({"--cap-drop", "KILL"}), "00000000000000db");
}

TEST_CASE("jail: the old root is gone, and one mount alone is on /") {
  const Jails jails;
  const Ran ran = jails.probe({"cat", "/proc/self/mountinfo"});
  int roots = 0;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, target;
    words >> id >> parent >> device >> root >> target;
    if (target == "/") ++roots;
  }
  CHECK_EQ(roots, 1);
  CHECK_FALSE(contains(ran.out, jails.scratch().path()));
}

TEST_CASE("jail: only the standard descriptors are open in the payload") {
  const Jails jails;
  CHECK_EQ(jails.probe({"fds"}).out, "0\n1\n2\n");
}

TEST_CASE("jail: /dev holds the few devices of every jail and they work") {
  const Jails jails;
  const std::string list = jails.probe({"list", "/dev"}).out;
  std::set<std::string> names;
  std::istringstream words(list);
  for (std::string word; words >> word;) names.insert(word);
  CHECK_EQ(names,
           std::set<std::string>{"fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm",
                                 "stderr", "stdin", "stdout", "tty", "urandom", "zero"});
  CHECK_EQ(jails.probe({"put", "/dev/null", "x"}).out, "ok\n");
  CHECK_EQ(jails.probe({"put", "/dev/full", "x"}).out, "ENOSPC\n");
}

TEST_CASE("jail: masked paths are empty, /proc/sys and /sys are read-only") {
  const Jails jails;
  CHECK_NE(file_bytes("/proc/kallsyms"), "");  // on the host it is not
  CHECK_EQ(jails.probe({"cat", "/proc/kallsyms"}).out, "");
  CHECK_EQ(jails.probe({"put", "/proc/sys/kernel/domainname", "x"}).out, "EROFS\n");
  CHECK_EQ(jails.probe({"put", "/sys/kernel/uevent_seqnum", "x"}).out, "EROFS\n");
}

TEST_CASE("jail: mounting and new namespaces are refused") {
  const Jails jails;
  CHECK_EQ(jails.probe({"mount"}).out, "EPERM\n");
  CHECK_EQ(jails.probe({"unshare-user"}).out, "EPERM\n");
}

TEST_CASE("jail: a filter that is unconfined is none, and the control for the one that is") {
  const Jails jails;
  const Words unconfined = {"--seccomp", "unconfined", "--nesting", "1"};
  CHECK_EQ(jails.probe({"unshare-user"}, unconfined).out, "ok\n");
  // Without `nesting` the kernel counts to zero, whatever the filter lets through.
  CHECK_EQ(jails.probe({"unshare-user"}, {"--seccomp", "unconfined"}).out, "ENOSPC\n");
  CHECK_EQ(status_field(jails.probe({"cat", "/proc/self/status"}, {"--seccomp", "unconfined"}).out,
                        "Seccomp"),
           "0");
}

TEST_CASE("jail: its host name is its name, or the spec's") {
  const Jails jails;
  CHECK_EQ(jails.probe({"cat", "/proc/sys/kernel/hostname"}, {"--name", jails.name("h")}).out,
           jails.name("h") + "\n");
  CHECK_EQ(jails.probe({"cat", "/proc/sys/kernel/hostname"}, {"-h", "cage"}).out, "cage\n");
}

TEST_CASE("jail: its network has lo alone, up, with low ports and ping for everybody") {
  const Jails jails;
  const std::string devices = jails.probe({"cat", "/proc/net/dev"}).out;
  CHECK(contains(devices, "lo:"));
  CHECK_FALSE(contains(devices, "eth"));
  CHECK_EQ(jails.probe({"cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"}).out, "0\n");
  CHECK_EQ(jails.probe({"cat", "/proc/net/route"}, {"--network", "host"}).code, 0);
}

TEST_CASE("jail: sysctls of the jail are set") {
  const Jails jails;
  CHECK_EQ(
      jails.probe({"cat", "/proc/sys/net/ipv4/ip_forward"}, {"--sysctl", "net.ipv4.ip_forward=1"})
          .out,
      "1\n");
}

TEST_CASE("jail: core dumps are off, and ulimits are what the spec says") {
  const Jails jails;
  CHECK_EQ(jails.probe({"limit", "4"}).out, "0 0\n");  // RLIMIT_CORE
  CHECK_EQ(jails.probe({"limit", "7"}, {"--ulimit", "nofile=100:200"}).out, "100 200\n");
}

TEST_CASE("jail: a volume shows the host's files as its own, and :ro refuses writing") {
  const Jails jails;
  const std::string source = jails.scratch() / "volume";
  std::filesystem::create_directory(source);
  put_file(source + "/file", "text");
  CHECK_EQ(jails.probe({"cat", "/data/file"}, {"-v", source + ":/data"}).out, "text");
  CHECK_EQ(jails.probe({"put", "/data/new", "more"}, {"-v", source + ":/data"}).out, "ok\n");
  CHECK_EQ(file_bytes(source + "/new"), "more");
  CHECK_EQ(jails.probe({"put", "/data/new", "x"}, {"-v", source + ":/data:ro"}).out, "EROFS\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: /dev/shm is of 64m, or of the size that is asked for") {
  const Jails jails;
  const std::string shm = "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=";
  CHECK(contains(jails.probe({"cat", "/proc/mounts"}).out, shm + "65536k"));
  CHECK(contains(jails.probe({"cat", "/proc/mounts"}, {"--shm-size", "1m"}).out, shm + "1024k"));
  CHECK(contains(jails.jaula({"plan", "--shm-size", "1m", jails.root(), "x"}).out,
                 "/dev/shm rw nosuid nodev noexec mode=1777 size=1048576\n"));
}

TEST_CASE("jail: groups are added by the names of its own /etc/group, or by number") {
  const Jails jails;
  if (contains(jails.probe({"cat", "/proc/self/setgroups"}).out, "deny")) {
    const Ran refused = jails.probe({"ids"}, {"--group-add", "extra"});
    CHECK_EQ(refused.code, 125);
    CHECK(contains(refused.err, "no group can be added: one id alone is mapped"));
    return;
  }
  const Words added = {"--group-add", "extra", "--group-add", "7", "--group-add", "7"};
  // The kernel sorts them.
  CHECK(contains(jails.probe({"ids"}, added).out, "uid=0 gid=0 groups=0,7,50 "));
  CHECK(contains(jails.probe({"ids"}, {"-u", "web", "--group-add", "0"}).out, "groups=0,34,50 "));
  CHECK(contains(jails.probe({"ids"}, {"-u", "web:7", "--group-add", "extra"}).out,
                 "gid=7 groups=7,50 "));
  const Ran unknown = jails.probe({"ids"}, {"--group-add", "nobody-has-it"});
  CHECK_EQ(unknown.code, 125);
  CHECK_EQ(unknown.err,
           "jaula: --group-add: there is no group nobody-has-it in the /etc/group of the root\n");
  const Ran unmapped = jails.probe({"ids"}, {"--group-add", "4000000000"});
  CHECK_EQ(unmapped.code, 125);
  CHECK_EQ(unmapped.err,
           "jaula: --group-add: set supplementary groups: Invalid argument\n       one of them is "
           "not mapped into the jail: see its map in `jaula plan`\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: oom_score_adj holds for the payload and PID 1; lowering it takes a privilege") {
  const Jails jails;
  const std::string own = file_bytes("/proc/self/oom_score_adj");
  CHECK_EQ(jails.probe({"cat", "/proc/self/oom_score_adj"}).out, own);
  const Words higher = {"--oom-score-adj", "900"};
  CHECK_EQ(jails.probe({"cat", "/proc/self/oom_score_adj"}, higher).out, "900\n");
  CHECK_EQ(jails.probe({"cat", "/proc/1/oom_score_adj"}, higher).out, "900\n");
  const Ran lower = jails.probe({"cat", "/proc/self/oom_score_adj"}, {"--oom-score-adj", "-900"});
  const plan::HostFacts facts = plan::probe_for_start();
  if (facts.initial_user_namespace && facts.has(CAP_SYS_RESOURCE)) {
    CHECK_EQ(lower.out, "-900\n");
  } else {
    CHECK_EQ(lower.code, 125);
    CHECK_EQ(lower.err,
             "jaula: --oom-score-adj: set oom_score_adj to -900: Permission denied\n       below "
             "what it is already it is set by root with CAP_SYS_RESOURCE alone\n");
  }
  CHECK_EQ(file_bytes("/proc/self/oom_score_adj"), own);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("jail: a tmpfs has its size and its mode") {
  const Jails jails;
  CHECK(contains(jails.probe({"cat", "/proc/mounts"}, {"--tmpfs", "/tmp:size=1m,mode=0700"}).out,
                 "/tmp tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=700"));
}

TEST_CASE("jail: rootfs host is the machine's userland, read-only, without its secrets") {
  const Jails jails;
  const auto sh = [&](const std::string& script) {
    return jails.jaula({"run", "host", "sh", "-c", script});
  };
  CHECK_EQ(sh("test -x /usr/bin/env && echo there").out, "there\n");
  CHECK_NE(sh("touch /usr/new").code, 0);
  CHECK_NE(sh("touch /etc/new").code, 0);
  CHECK_EQ(sh("touch /tmp/new /var/tmp/new && echo made").out, "made\n");
  CHECK_EQ(sh("ls /home /srv").out, "/home:\n\n/srv:\n");
  CHECK_EQ(sh("ls /etc/shadow /etc/ssh /etc/ssl/private 2>/dev/null | wc -l").out, "0\n");
}

TEST_CASE("jail: the caller's command line and environment are not to be seen in it") {
  const Jails jails;
  const Words words = {"run", "--name", jails.name("title"), jails.root(), "--", "/bin/probe"};
  const auto seen = [&](const char* path, const Words& options) {
    Words all = words;
    all.insert(all.begin() + 1, options.begin(), options.end());
    all.insert(all.end(), {"cat", path});
    return jails.jaula(all, {.environment = {{"TOKEN", "of the caller"}}}).out;
  };
  const std::string arguments = seen("/proc/1/cmdline", {});
  CHECK_EQ(arguments.c_str(), std::string("jaula: init"));
  CHECK_FALSE(contains(arguments, "probe"));
  // The payload's own, where it is PID 1 itself.
  CHECK(contains(seen("/proc/1/cmdline", {"--init=false"}), "probe"));

  const std::string name = jails.name("look");
  jails.start(name, {"await", "TERM"});
  const std::string process = "/proc/" + std::to_string(jails.init_pid(name));
  const std::string environment = file_bytes(process + "/environ");
  CHECK_EQ(environment.find_first_not_of('\0'), std::string::npos);
  CHECK_EQ(jails.jaula({"rm", "-f", name}).code, 0);
}

TEST_CASE("jail: the masks stay on procfs while the directories of its root are renamed") {
  const Jails jails;
  const std::string here = jails.root() + "/proc";
  const std::string there = jails.root() + "/proc.x";
  std::filesystem::create_directory(here);
  std::filesystem::create_directory(there);
  const Child renaming([&] {
    for (;;) ::renameat2(AT_FDCWD, here.c_str(), AT_FDCWD, there.c_str(), RENAME_EXCHANGE);
    return 0;
  });
  for (int round = 0; round < 30; ++round)
    for (const char* path : {"/proc/interrupts", "/proc.x/interrupts"}) {
      const Ran ran = jails.probe({"cat", path}, {"--ephemeral=false"});
      CHECK_FALSE_MESSAGE(contains(ran.out, "CPU0"), ran.out.substr(0, 200));
    }
}

}  // namespace jaula::test

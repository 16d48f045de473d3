// What is wrong in the keys of identity and walls: each at its line, all together, and nothing is
// made. The roots here are hostile, too.
#include <unistd.h>

#include <filesystem>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

// A spec of these keys, which begin in line 4, is refused with exactly these problems.
void check_refused(const Jails& jails, const std::string& keys, const Words& problems) {
  const std::string path = jails.scratch() / "web.yaml";
  put_file(path, "services:\n  web:\n    rootfs: " + jails.root() + "\n" + keys);
  std::string expected;
  for (const std::string& problem : problems) expected += "jaula: " + path + ":" + problem + "\n";
  expected += "jaula: " + path + ": " + std::to_string(problems.size()) + " problem" +
              (problems.size() == 1 ? "" : "s") + "; nothing was started\n";
  for (const Words& how : {Words{"run", path}, Words{"run", "-d", path}}) {
    const Ran ran = jails.jaula(how);
    CHECK_EQ(ran.code, 125);
    CHECK_EQ(ran.out, "");
    CHECK_EQ(ran.err, expected);
    CHECK_EQ(jails.left_behind(), "");
  }
}

// A profile with this text is refused with this problem of its own.
void check_profile_refused(const Jails& jails, const std::string& text,
                           const std::string& problem) {
  const std::string path = jails.scratch() / "profile.json";
  put_file(path, text);
  const Ran ran = jails.jaula({"run", "--seccomp", path, jails.root(), "/bin/probe", "true"});
  INFO(text << "\n" << ran.err);
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "jaula: " + path + ":" + problem));
  CHECK(contains(ran.err, "nothing was started\n"));
  CHECK_EQ(jails.left_behind(), "");
}

const std::string kNoUser =
    "expected NAME or UID, with :GROUP or :GID if need be (ids from 0 to 4294967294), got \"";

}  // namespace

TEST_CASE("bad user: what is neither a name nor an id") {
  const Jails jails;
  for (const char* user :
       {"-1", "0x0", " 0", "0 ", "00", "+1", "1e3", "4294967295", "4294967296",
        "12345678901234567890", "", "0:-1", ":0", "0:", "0:0:0", "0:4294967295", "ro ot"}) {
    check_refused(jails, std::string("    user: \"") + user + "\"\n",
                  {"4:11: services.web.user: " + kNoUser + user + "\""});
    const Ran flag = jails.jaula({"run", "-u", user, jails.root(), "/bin/probe", "ids"});
    CHECK_EQ(flag.code, 125);
    CHECK(contains(flag.err, "jaula: --user: " + kNoUser + user + "\"\n"));
  }
  check_refused(jails, "    user: \"0\\n\"\n",
                {"4:11: services.web.user: " + kNoUser + "0\\x0a\""});
  check_refused(jails, "    user: \"0\\0\"\n", {"4:11: a NUL character"});
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad user: the names of the root's passwd make no number another id") {
  const Jails jails;
  if (::geteuid() != 0) return skip("a user's jail may have one id alone");
  put_file(jails.root() + "/etc/passwd", "33:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n");
  CHECK(contains(jails.probe({"ids"}, {"-u", "33"}).out, "uid=33 gid=0"));
  put_file(jails.root() + "/etc/passwd", "web:x:4294967296:0::/:/bin/sh\n");
  const Ran ran = jails.probe({"ids"}, {"-u", "web"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "web"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad capability: names that no kernel has") {
  const Jails jails;
  const std::string at = "services.web.cap_";
  check_refused(
      jails,
      "    cap_add: [SYS_NOTHING, CAP_, \"\", ALL, -1, \"41\", net_admim]\n"
      "    cap_drop: [CHOWNN]\n",
      {"4:15: " + at + "add[0]: unknown capability \"SYS_NOTHING\"",
       "4:28: " + at + "add[1]: unknown capability \"CAP_\"",
       "4:34: " + at + "add[2]: unknown capability \"\"",
       "4:43: " + at + "add[4]: unknown capability \"-1\"",
       "4:47: " + at + "add[5]: unknown capability \"41\"",
       "4:53: " + at + "add[6]: unknown capability \"net_admim\"; did you mean `NET_ADMIN`?",
       "5:16: " + at + "drop[0]: unknown capability \"CHOWNN\"; did you mean `CHOWN`?"});
}

TEST_CASE("bad system call: names and groups that do not exist") {
  const Jails jails;
  const std::string at = "services.web.seccomp.";
  check_refused(jails, "    seccomp: {allow: [opne, \"@nothing\", read], deny: [opem]}\n",
                {"4:23: " + at + "allow[0]: unknown system call \"opne\"; did you mean `open`?",
                 "4:29: " + at + "allow[1]: unknown group \"@nothing\"",
                 "4:55: " + at + "deny[0]: unknown system call \"opem\"; did you mean `open`?"});
}

TEST_CASE("bad sysctl: names that leave their namespace, and values of more than a line") {
  const Jails jails;
  const std::string at = "services.web.sysctls.";
  const std::string no_name = "\" is not a sysctl's name";
  check_refused(
      jails,
      "    sysctls:\n      net.ipv4/../../kernel/x: 1\n      net.ipv4.ip_forward: \"1\\n2\"\n"
      "      net/ipv4/../../kernel/hostname: x\n      net..x: 1\n      \"net.x \": 1\n"
      "      net.: 1\n      \"\": 1\n",
      {"5:7: " + at + "net.ipv4/../../kernel/x: \"net.ipv4/../../kernel/x" + no_name,
       "6:28: " + at + "net.ipv4.ip_forward: a newline in a sysctl's value",
       "7:7: " + at + "net/ipv4/../../kernel/hostname: \"net/ipv4/../../kernel/hostname" + no_name,
       "8:7: " + at + "net..x: \"net..x" + no_name, "9:7: " + at + "net.x : \"net.x " + no_name,
       "10:7: " + at + "net.: \"net." + no_name, "11:7: " + at + ": \"" + no_name});
  for (const char* name : {"kernel.core_pattern", "vm.swappiness", "kernel.shmmax/x"}) {
    const Ran ran = jails.probe({"true"}, {"--sysctl", std::string(name) + "=1"});
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, std::string("sysctl ") + name + " belongs to the machine"));
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad profile: what is not JSON, not a profile, or contradicts itself") {
  const Jails jails;
  const std::string rule = R"({"names": ["read"], "action": ")";
  for (const auto& [text, problem] : {
           std::pair<std::string, std::string>{"", "1:1: not JSON"},
           {"not json", "1:1: not JSON"},
           {"{", "1:2: not JSON"},
           {"[]", "1:1: expected an object"},
           {"{}", "1:1: needs `defaultAction`"},
           {R"({"defaultAction": "SCMP_ACT_NOPE"})", "1:19: defaultAction: unknown action"},
           {R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultAction": "SCMP_ACT_ALLOW"})",
            "1:37: defaultAction: given twice"},
           {"{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\"syscalls\": [" + rule +
                "SCMP_ACT_ALLOW\"},\n" + rule + "SCMP_ACT_ERRNO\"}]}",
            "3:1: syscalls[1]: `read` has another answer in the rule at 2:14"},
           {R"({"defaultAction": "SCMP_ACT_ALLOW",)"
            "\n"
            R"("syscalls": [{"names": ["raed"], "action": "SCMP_ACT_ERRNO"}]})",
            "2:25: syscalls[0].names[0]: unknown system call \"raed\"; did you mean `read`?"},
       })
    check_profile_refused(jails, text, problem);
}

TEST_CASE("bad root: its /proc, /dev or /sys is a link to a directory of the host") {
  const Jails jails;
  const std::string outside = jails.scratch() / "outside";
  fs::create_directory(outside);
  put_file(outside + "/file", "precious");
  for (const std::string& place : Words{"/proc", "/dev", "/sys"}) {
    CAPTURE(place);
    fs::create_directory_symlink(outside, jails.root() + place);
    for (const Words& options : {Words{}, Words{"--set", "ephemeral=false"}}) {
      const Ran ran = jails.probe({"true"}, options);
      CHECK_EQ(ran.code, 125);
      CHECK_MESSAGE(contains(ran.err, "the target " + place + " is a link in the root"), ran.err);
      CHECK_EQ(jails.left_behind(), "");
    }
    CHECK_EQ(std::distance(fs::directory_iterator(outside), fs::directory_iterator()), 1);
    CHECK_EQ(file_bytes(outside + "/file"), "precious");
    CHECK(fs::is_symlink(jails.root() + place));
    fs::remove(jails.root() + place);
  }
}

}  // namespace jaula::test

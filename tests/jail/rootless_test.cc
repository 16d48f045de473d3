// Jails of a user without privileges, with what /etc/subuid may give to one. The user is made in a
// mount namespace of the test's: the machine's accounts stay as they are.
#include <sys/stat.h>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

constexpr uid_t kUser = 4242;

// What is bound over the machine's files; then the program, as the user.
constexpr const char* kScript = R"(
for file in passwd group subuid subgid; do mount --bind "$1/$file" "/etc/$file" || exit 99; done
[ -z "$2" ] || mount --bind /dev/null "$2" || exit 99
ip link set lo up || exit 98
shift 2
exec setpriv --reuid=4242 --regid=4242 --clear-groups "$@"
)";

class User {
 public:
  explicit User(const std::string& subuid) : User(subuid, subuid) {}
  User(const std::string& subuid, const std::string& subgid) {
    fs::create_directory(etc());
    fs::create_directory(home());
    put_file(etc() + "/passwd",
             file_bytes("/etc/passwd") + "tester:x:4242:4242::" + home() + ":/bin/sh\n");
    put_file(etc() + "/group", file_bytes("/etc/group") + "tester:x:4242:\n");
    put_file(etc() + "/subuid", subuid);
    put_file(etc() + "/subgid", subgid);
    REQUIRE_EQ(::chown(home().c_str(), kUser, kUser), 0);
    // Where the build lies may be closed to others.
    fs::copy_file(jaula_binary(), program());
    ::chmod(program().c_str(), 0755);
  }
  void hide(const std::string& path) { hidden_ = path; }

  // `jaula words…` of this user.
  [[nodiscard]] Ran jaula(Words words) const {
    words.insert(words.begin(), {program(), "--root", home() + "/state"});
    return does(words);
  }
  // `jaula run OPTIONS ROOT /bin/probe words…`, without a cgroup where there is none for him.
  [[nodiscard]] Ran probe(const Words& words, const Words& options = {}) const {
    Words all = {"run", "--degrade", "warn"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {jails_.root(), "--", "/bin/probe"});
    all.insert(all.end(), words.begin(), words.end());
    return jaula(all);
  }
  [[nodiscard]] Ran does(Words words) const {
    words.insert(words.begin(), {"unshare", "-m", "-n", "--propagation", "private", "sh", "-c",
                                 kScript, "sh", etc(), hidden_});
    return run(words, {.environment = {{"HOME", home()}, {"XDG_RUNTIME_DIR", home()}}});
  }
  // A directory of his, as a volume on /data.
  [[nodiscard]] std::string volume() const {
    const std::string path = home() + "/data";
    fs::create_directory(path);
    REQUIRE_EQ(::chown(path.c_str(), kUser, kUser), 0);
    return path;
  }
  [[nodiscard]] std::string home() const { return jails_.scratch() / "home"; }
  [[nodiscard]] std::string program() const { return jails_.scratch() / "jaula"; }
  [[nodiscard]] const Jails& jails() const { return jails_; }

 private:
  [[nodiscard]] std::string etc() const { return jails_.scratch() / "etc"; }
  Jails jails_;
  std::string hidden_;
};

bool have_users() {
  if (::geteuid() == 0 && fs::exists("/usr/bin/newuidmap") && fs::exists("/etc/subuid") &&
      fs::exists("/etc/subgid"))
    return true;
  skip("another user takes root, and subordinate ids newuidmap and /etc/subuid");
  return false;
}

std::string squeezed(const std::string& text) {
  std::string kept;
  for (const char c : text)
    if (c != ' ' || (!kept.empty() && kept.back() != ' ' && kept.back() != '\n')) kept += c;
  return kept;
}

uid_t owner_of(const std::string& path) {
  struct stat info {};
  REQUIRE_EQ(::stat(path.c_str(), &info), 0);
  return info.st_uid;
}

constexpr const char* kRange = "tester:200000:65536\n";
const Words kMap = {"cat", "/proc/self/uid_map"};

}  // namespace

TEST_CASE("rootless: a user with a range is root inside, and files belong to whom they should") {
  if (!have_users()) return;
  const User user(kRange);
  Ran ran = user.probe(kMap);
  CHECK_MESSAGE(squeezed(ran.out) == "0 4242 1\n1 200000 65536\n", ran.err);
  CHECK_FALSE(contains(ran.err, "one id alone"));
  const std::string data = user.volume();
  const Words volume = {"-v", data + ":/data"};
  CHECK_EQ(user.probe({"put", "/data/root", "x"}, volume).out, "ok\n");
  CHECK_EQ(owner_of(data + "/root"), kUser);
  ::chmod(data.c_str(), 0777);
  CHECK_EQ(user.probe({"put", "/data/web", "x"}, {"-u", "web", "-v", data + ":/data"}).out, "ok\n");
  CHECK_EQ(owner_of(data + "/web"), 200000 + 32);
  CHECK(contains(user.probe({"ids"}, {"-u", "web", "--group-add", "7"}).out,
                 "uid=33 gid=34 groups=7,34,50"));
  ran = user.probe({"put", "/data/kept", "x"},
                   {"--userns", "keep-id", "-u", "4242:4242", "-v", data + ":/data"});
  CHECK_MESSAGE(ran.out == "ok\n", ran.err);
  CHECK_EQ(owner_of(data + "/kept"), kUser);
  CHECK_EQ(user.probe({"put", "/data/no", "x"}, {"-v", data + ":/data:ro"}).out, "EROFS\n");
}

TEST_CASE("rootless: ranges that are several, overlap, or hold the user himself are joined") {
  if (!have_users()) return;
  const User user("tester:4000:1000\nsomebody:90000:10\ntester:200000:10\n4242:200005:10\n");
  const Ran ran = user.probe(kMap);
  CHECK_MESSAGE(
      squeezed(ran.out) == "0 4242 1\n1 4000 242\n243 4243 757\n1000 200000 10\n1010 200010 5\n",
      ran.err);
  CHECK(contains(ran.err, "of the 65536 ids of a jail this user has 1015: others cannot be"));
  CHECK_EQ(user.probe({"ids"}, {"-u", "2000"}).code, 125);
  CHECK(contains(user.probe({"ids"}, {"-u", "2000"}).err, "become user 2000: Invalid argument"));
}

TEST_CASE("rootless: without a range, or without newuidmap, there is one id, and why is said") {
  if (!have_users()) return;
  const User bare("");
  Ran ran = bare.probe(kMap);
  CHECK_MESSAGE(squeezed(ran.out) == "0 4242 1\n", ran.err);
  CHECK(contains(ran.err, "(this user has no range of ids in /etc/subuid and /etc/subgid)"));
  ran = bare.probe({"ids"}, {"-u", "web"});
  CHECK_MESSAGE(contains(ran.out, "uid=33 gid=34 "), ran.err);
  CHECK(contains(bare.probe({"ids"}, {"--group-add", "7"}).err, "no group can be added"));
  const User one_file(kRange, "");
  CHECK_EQ(squeezed(one_file.probe(kMap).out), "0 4242 1\n");
  for (const char* helper : {"/usr/bin/newuidmap", "/usr/bin/newgidmap"}) {
    User without(kRange);
    without.hide(helper);
    ran = without.probe(kMap);
    CHECK_MESSAGE(squeezed(ran.out) == "0 4242 1\n", ran.err);
    CHECK(contains(ran.err, "(newuidmap and newgidmap are not there, package uidmap, "));
  }
}

TEST_CASE("rootless: a map of the spec's is taken, or newuidmap's refusal told with its line") {
  if (!have_users()) return;
  const User user(kRange);
  const auto mapped = [&](const std::string& map) {
    return user.probe(kMap, {"--set", "userns_mode={uid: [" + map + "], gid: [" + map + "]}"});
  };
  CHECK_EQ(squeezed(mapped(R"("0:4242:1", "1:200000:9")").out), "0 4242 1\n1 200000 9\n");
  Ran ran = mapped(R"("0:4242:1")");  // which needs no range
  CHECK_MESSAGE(squeezed(ran.out) == "0 4242 1\n", ran.err);
  ran = mapped(R"("0:300000:9")");
  CHECK_EQ(ran.code, 125);
  CHECK_MESSAGE(contains(ran.err,
                         "jaula: --set userns_mode: /usr/bin/newuidmap refused the map: 0 "
                         "300000 9\n       compare with the ranges of this user in "
                         "/etc/subuid and /etc/subgid\n"),
                ran.err);
  CHECK_EQ(user.jails().left_behind(), "");
}

TEST_CASE(
    "rootless: a limit without a delegated cgroup is an error with its remedy, or a warning") {
  if (!have_users()) return;
  const User user(kRange);
  const Words limited = {"run", "-m", "64m", user.jails().root(), "--", "/bin/probe", "true"};
  const Ran ran = user.jaula(limited);
  if (ran.code == 0) return skip("this user has a cgroup");
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "--memory: cannot be enforced: "));
  CHECK(contains(ran.err, "Delegate=yes jaula"));
  CHECK_EQ(user.probe({"true"}, {"-m", "64m"}).code, 0);
}

TEST_CASE("rootless: a detached jail is listed, joined, read and stopped by its user") {
  if (!have_users()) return;
  for (const char* range : {kRange, ""}) {
    const User user(range);
    // One session, for the terminal of exec belongs to the jail: every verb, one after another.
    const Ran ran = user.does(
        {"sh", "-c",
         "set -e; j=\"$1 --root $HOME/state\"; "
         "$j run -d --degrade warn --name web \"$2\" -- /bin/probe await TERM 2>/dev/null; "
         "$j ps -q; $j exec web /bin/probe echo joined; $j exec -t web /bin/probe echo tty; "
         "$j stop web; $j ps -aq",
         "sh", user.program(), user.jails().root()});
    CHECK_MESSAGE(ran.out == "web\nweb\njoined\ntty\r\nweb\n", (ran.out + ran.err));
    CHECK_EQ(ran.code, 0);
  }
}

TEST_CASE("rootless: examples/hello.yaml runs unchanged, with a range and without") {
  if (!have_users()) return;
  if (!fs::exists("/bin/busybox")) return skip("busybox is not installed");
  for (const char* range : {kRange, ""}) {
    const User user(range);
    const std::string copy = user.jails().scratch() / "examples";
    fs::copy(std::string(JAULA_SOURCE_DIR) + "/examples", copy, fs::copy_options::recursive);
    const Ran ran =
        user.does({"sh", "-c",
                   "j=\"$1 --root $HOME/state\"; $j run -d --name hello \"$2\" || exit; "
                   "until $j exec hello busybox wget -qO- http://127.0.0.1:8080/ 2>/dev/null || "
                   "[ -z \"$($j ps -q)\" ]; do :; done; $j rm -f hello",
                   "sh", user.program(), copy + "/hello.yaml"});
    CHECK_MESSAGE(contains(ran.out, "Hello from a jail."), (ran.out + ran.err));
  }
}

}  // namespace jaula::test

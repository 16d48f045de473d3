// What a jail finds in its tree that is jaula's or its spec's: names, configs, secrets, copies.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

std::string put_spec(const Jails& jails, const std::string& text) {
  const std::string path = jails.scratch() / "web.yaml";
  put_file(path, text);
  return path;
}

// A spec of one service that runs the probe, with `rest` behind it; the keys begin in line 4,
// column 5.
std::string spec_of(const Jails& jails, const std::string& keys, const std::string& rest = "") {
  return put_spec(jails, "services:\n  web:\n    rootfs: " + jails.root() + "\n" + keys + rest);
}

Ran run_spec(const Jails& jails, const std::string& path, const Words& words,
             const Words& options = {}) {
  Words all = {"run"};
  all.insert(all.end(), options.begin(), options.end());
  all.insert(all.end(), {path, "--", "/bin/probe"});
  all.insert(all.end(), words.begin(), words.end());
  Ran ran = jails.jaula(all);
  ran.err = without_warnings(ran.err);
  return ran;
}

// Everything below a directory: names, types, modes, sizes.
std::string listing(const std::string& path) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    struct stat info {};
    ::lstat(entry.path().c_str(), &info);
    std::ostringstream line;
    line << entry.path().string() << " " << std::oct << info.st_mode << " " << std::dec
         << (S_ISDIR(info.st_mode) ? 0 : info.st_size) << "\n";
    lines.push_back(line.str());
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

// The mount options of the jail's that has it as its mount point.
std::string mounted_on(const Jails& jails, const std::string& path, const Words& options) {
  std::istringstream mounts(jails.probe({"cat", "/proc/mounts"}, options).out);
  for (std::string line; std::getline(mounts, line);)
    if (contains(line, " " + path + " ")) return line;
  return "";
}

}  // namespace

TEST_CASE("names: a root of the user's gets hosts and hostname, and is itself left alone") {
  const Jails jails;
  put_file(jails.root() + "/etc/hosts", "10.9.9.9 old\n");
  put_file(jails.root() + "/etc/resolv.conf", "nameserver 10.9.9.9\n");
  const std::string before = listing(jails.root());
  const Words options = {"-h", "web.example", "--add-host", "db:10.0.0.2", "--add-host", "v6=::2"};
  CHECK_EQ(jails.probe({"cat", "/etc/hosts"}, options).out,
           "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
           "127.0.1.1\tweb.example\n10.0.0.2\tdb\n::2\tv6\n");
  CHECK_EQ(jails.probe({"cat", "/etc/hostname"}, options).out, "web.example\n");
  CHECK_EQ(jails.probe({"stat", "/etc/hosts"}).out.substr(0, 11), "100644 0 0 ");
  CHECK_EQ(jails.probe({"put", "/etc/hosts", "x"}).out, "ok\n");
  CHECK_EQ(jails.probe({"put", "/etc/hosts", "x"}, {"--read-only"}).out, "EROFS\n");
  if (::geteuid() == 0)
    CHECK_EQ(jails.probe({"put", "/etc/hosts", "x"}, {"--userns", "host"}).out, "ok\n");
  // What nobody asked for stays the root's.
  CHECK_EQ(jails.probe({"cat", "/etc/resolv.conf"}).out, "nameserver 10.9.9.9\n");
  CHECK_EQ(file_bytes(jails.root() + "/etc/hosts"), "10.9.9.9 old\n");
  CHECK_EQ(listing(jails.root()), before);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("names: resolv.conf is of the dns keys, and of the host's with the host's network") {
  const Jails jails;
  const Words keys = {"--dns",        "10.0.0.1",    "--dns",        "::1",
                      "--dns-search", "example.org", "--dns-option", "ndots:2"};
  const std::string own =
      "nameserver 10.0.0.1\nnameserver ::1\nsearch example.org\n"
      "options ndots:2\n";
  CHECK_EQ(jails.probe({"cat", "/etc/resolv.conf"}, keys).out, own);
  const Ran on_host =
      jails.jaula({"run", "--dns", "10.0.0.1", "host", "--", "cat", "/etc/resolv.conf"});
  CHECK_EQ(on_host.out, "nameserver 10.0.0.1\n");
  const std::string of_host = file_bytes("/etc/resolv.conf");
  if (of_host.empty()) return skip("this host has no /etc/resolv.conf");
  CHECK_EQ(jails.probe({"cat", "/etc/resolv.conf"}, {"--network", "host"}).out, of_host);
  const std::string mixed =
      jails.probe({"cat", "/etc/resolv.conf"}, {"--network", "host", "--dns", "10.0.0.1"}).out;
  CHECK(mixed.starts_with("nameserver 10.0.0.1\n"));
  CHECK_EQ(mixed.find("nameserver", 1), std::string::npos);
}

TEST_CASE("names: a link, FIFO or device in their place is neither followed nor opened") {
  const Jails jails;
  const std::string etc = jails.root() + "/etc";
  put_file(jails.scratch() / "outside", "untouched");
  ::chmod((jails.scratch() / "outside").c_str(), 0666);
  fs::create_symlink(jails.scratch() / "outside", etc + "/hosts");
  REQUIRE_EQ(::mkfifo((etc + "/hostname").c_str(), 0666), 0);
  fs::create_symlink("../run/nowhere", etc + "/resolv.conf");
  const std::string before = listing(jails.root() + "/etc");
  for (const char* ephemeral : {"--ephemeral", "--ephemeral=false"}) {
    const Words options = {ephemeral, "-h", "web", "--dns", "10.0.0.1"};
    CHECK(contains(jails.probe({"cat", "/etc/hosts"}, options).out, "localhost"));
    CHECK_EQ(jails.probe({"cat", "/etc/hostname"}, options).out, "web\n");
    CHECK_EQ(jails.probe({"cat", "/etc/resolv.conf"}, options).out, "nameserver 10.0.0.1\n");
    CHECK_EQ(jails.probe({"put", "/etc/hosts", "x"}, options).out, "ok\n");
  }
  CHECK_EQ(file_bytes(jails.scratch() / "outside"), "untouched");
  CHECK_EQ(listing(jails.root() + "/etc"), before);
  fs::remove(etc + "/hosts");
  if (::mknod((etc + "/hosts").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) {
    CHECK(contains(jails.probe({"cat", "/etc/hosts"}).out, "localhost"));
  } else {
    skip("no device can be made here");
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("names: a directory in their place is an error, with what to do") {
  const Jails jails;
  fs::create_directory(jails.root() + "/etc/hosts");
  const Ran ran = jails.probe({"true"});
  CHECK_EQ(ran.code, 125);
  CHECK_EQ(
      ran.err,
      "jaula: place a file at /etc/hosts: Is a directory\n       remove the directory there\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("names: what a lasting root has no place for is left out, and an error if asked for") {
  const Jails jails;
  const std::string before = listing(jails.root() + "/etc");
  CHECK_EQ(jails.probe({"stat", "/etc/hosts"}, {"--ephemeral=false"}).out, "ENOENT\n");
  const Ran ran = jails.probe({"true"}, {"--ephemeral=false", "--add-host", "db:10.0.0.2"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "--add-host: place /etc/hosts: No such file or directory\n"));
  CHECK(contains(ran.err, "make an empty file there"));
  CHECK_EQ(listing(jails.root() + "/etc"), before);
  fs::remove_all(jails.root() + "/etc");
  CHECK(contains(jails.probe({"cat", "/etc/hosts"}).out, "localhost"));  // it is thrown away
  CHECK_FALSE(fs::exists(jails.root() + "/etc"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("names: a volume on one of them, or on /etc, takes its place") {
  const Jails jails;
  put_file(jails.scratch() / "hosts", "mine\n");
  CHECK_EQ(jails.probe({"cat", "/etc/hosts"}, {"-v", jails.scratch() / "hosts:/etc/hosts"}).out,
           "mine\n");
  const Ran ran = jails.probe({"true"}, {"--tmpfs", "/etc", "--dns", "10.0.0.1"});
  CHECK_EQ(ran.code, 125);
  CHECK_EQ(ran.err,
           "jaula: --dns: /etc/resolv.conf would lie under the mount on /etc (--tmpfs)\n"
           "       leave one of the two out\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("secrets: they are in memory that is never swapped, read-only, of the id that is said") {
  if (::geteuid() != 0) return skip("a user's jail may have one id alone");
  const Jails jails;
  put_file(jails.scratch() / "key", std::string("binary\0key", 10));
  const std::string keys =
      "    user: web\n"
      "    secrets:\n      - key\n      - {source: token, target: /etc/token, uid: 0, gid: 34, "
      "mode: 0440}\n"
      "    configs: [app]\n";
  const std::string rest =
      "secrets:\n  key: {file: ./key}\n  token: {content: hunter2}\n"
      "configs:\n  app: {content: \"a: 1\\n\"}\n";
  for (const std::string userns :
       {"auto", "host", "{uid: ['0:500000:100'], gid: ['0:500000:100']}"}) {
    if (::geteuid() != 0 && userns != "auto") continue;
    CAPTURE(userns);
    const std::string path = spec_of(jails, keys + "    userns_mode: " + userns + "\n", rest);
    CHECK_EQ(run_spec(jails, path, {"cat", "/run/secrets/key"}).out,
             std::string("binary\0key", 10));
    CHECK_EQ(run_spec(jails, path, {"stat", "/run/secrets/key"}).out, "100444 33 34 10\n");
    CHECK_EQ(run_spec(jails, path, {"stat", "/etc/token"}).out, "100440 0 34 7\n");
    CHECK_EQ(run_spec(jails, path, {"cat", "/app"}).out, "a: 1\n");
    for (const char* target : {"/run/secrets/key", "/etc/token", "/app"})
      CHECK_EQ(run_spec(jails, path, {"put", target, "x"}, {"-u", "0"}).out, "EROFS\n");
    const std::string mounts = run_spec(jails, path, {"cat", "/proc/mounts"}).out;
    for (const char* target : {"/run/secrets/key", "/etc/token", "/app"})
      CHECK(contains(mounts, std::string(" ") + target + " ramfs ro,nosuid,nodev,noexec,"));
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("secrets: no record, plan or printed spec has what is in them") {
  const Jails jails;
  put_file(jails.scratch() / "key", "hunter2");
  const std::string path = spec_of(
      jails, "    command: [/bin/probe, await, TERM]\n    secrets: [a, b, c]\n    init: true\n",
      "secrets:\n  a: {file: ./key}\n  b: {content: hunter2}\n  c: {environment: JAULA_T_KEY}\n");
  ::setenv("JAULA_T_KEY", "hunter2", 1);
  const std::string name = jails.name("s");
  const Ran started = jails.jaula({"run", "-d", "--name", name, path});
  REQUIRE_MESSAGE(started.code == 0, started.err);
  for (const char* file : {"a", "b", "c"})
    CHECK_EQ(
        jails.jaula({"exec", name, "/bin/probe", "cat", std::string("/run/secrets/") + file}).out,
        "hunter2");
  std::string seen;
  for (const auto& entry : fs::recursive_directory_iterator(jails.state()))
    if (entry.is_regular_file()) seen += file_bytes(entry.path());
  CHECK(contains(seen, "/run/secrets/b"));
  for (const Words& words : {Words{"inspect", name}, Words{"plan", path}, Words{"config", path}}) {
    const Ran ran = jails.jaula(words);
    CHECK_MESSAGE(ran.code == 0, ran.err);
    CHECK(contains(ran.out, "secrets"));
    seen += ran.out + ran.err;
  }
  CHECK_FALSE(contains(seen, "hunter2"));
  ::unsetenv("JAULA_T_KEY");
  jails.jaula({"rm", "-f", name});
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("secrets: one that cannot be read is an error at its line, and nothing is started") {
  const Jails jails;
  REQUIRE_EQ(::mkfifo((jails.scratch() / "fifo").c_str(), 0600), 0);
  put_file(jails.scratch() / "big", std::string((1 << 20) + 1, 'x'));
  const std::string path =
      spec_of(jails, "    secrets: [a, b, c, d]\n",
              "secrets:\n  a: {file: ./none}\n  b: {file: ./fifo}\n  c: {file: ./big}\n"
              "  d: {environment: JAULA_T_UNSET}\n");
  const Ran ran = run_spec(jails, path, {"true"});
  CHECK_EQ(ran.code, 125);
  const std::string at = path + ":4:";
  CHECK(contains(ran.err, at + "15: services.web.secrets[0]: open " + (jails.scratch() / "none") +
                              ": No such file or directory\n"));
  CHECK(contains(ran.err, at + "18: services.web.secrets[1]: " + (jails.scratch() / "fifo") +
                              " is not a regular file\n"));
  CHECK(contains(ran.err, at + "21: services.web.secrets[2]: read " + (jails.scratch() / "big") +
                              ": File too large\n"));
  CHECK(contains(ran.err,
                 at + "24: services.web.secrets[3]: the variable JAULA_T_UNSET is not set\n"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("secrets: an id that the jail does not have is an error at its line") {
  const Jails jails;
  const std::string path = spec_of(jails, "    secrets: [{source: a, uid: 4000000000}]\n",
                                   "secrets: {a: {content: x}}\n");
  const Ran ran = run_spec(jails, path, {"true"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, path + ":4:15: services.web.secrets[0]: "));
  CHECK(contains(ran.err, "the jail does not have these ids"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("tmpfs: with tmpcopyup it begins with what the root has, and keeps it from change") {
  const Jails jails;
  const std::string data = jails.root() + "/data";
  fs::create_directories(data + "/deep");
  put_file(data + "/deep/file", "text");
  fs::create_symlink("/etc/passwd", data + "/link");
  REQUIRE_EQ(::mkfifo((data + "/fifo").c_str(), 0600), 0);
  ::chmod(data.c_str(), 0751);
  if (::geteuid() == 0) CHECK_EQ(::chown(data.c_str(), 33, 34), 0);
  const std::string before = listing(jails.root());
  for (const char* userns : {"auto", "host"}) {
    if (::geteuid() != 0 && std::string(userns) == "host") continue;
    CAPTURE(userns);
    const Words options = {"--userns", userns, "--tmpfs", "/data:tmpcopyup,size=1m"};
    CHECK_EQ(jails.probe({"cat", "/data/deep/file"}, options).out, "text");
    CHECK_EQ(jails.probe({"link", "/data/link"}, options).out, "/etc/passwd\n");
    CHECK(jails.probe({"stat", "/data/fifo"}, options).out.starts_with("10600 "));
    CHECK_EQ(jails.probe({"put", "/data/deep/file", "more"}, options).out, "ok\n");
    if (::geteuid() == 0)
      CHECK(jails.probe({"stat", "/data"}, options).out.starts_with("40751 33 34 "));
    CHECK(contains(mounted_on(jails, "/data", options), " rw,nosuid,nodev,noexec,"));
    if (::geteuid() != 0) continue;  // and may have one id alone
    const Words owned = {"--userns", userns, "--tmpfs", "/data:tmpcopyup,mode=0700,uid=5,ro"};
    CHECK(jails.probe({"stat", "/data"}, owned).out.starts_with("40700 5 34 "));
    CHECK_EQ(jails.probe({"put", "/data/new", "x"}, owned).out, "EROFS\n");
  }
  CHECK_EQ(jails.probe({"list", "/fresh"}, {"--tmpfs", "/fresh:tmpcopyup"}).code, 0);
  CHECK_EQ(listing(jails.root()), before);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("tmpfs: it may be executed from, read-only and owned") {
  const Jails jails;
  CHECK(
      contains(mounted_on(jails, "/t", {"--tmpfs", "/t:exec"}), "tmpfs rw,nosuid,nodev,relatime"));
  CHECK_EQ(jails.probe({"put", "/t/x", "x"}, {"--tmpfs", "/t:ro"}).out, "EROFS\n");
  if (::geteuid() != 0) return;
  CHECK(jails.probe({"stat", "/t"}, {"--tmpfs", "/t:uid=33,gid=34,mode=0710"})
            .out.starts_with("40710 33 34 "));
  const std::string path = spec_of(
      jails,
      "    volumes: [{type: tmpfs, target: /t, read_only: true, tmpfs: {size: 1m, mode: 0700}}]\n");
  CHECK(run_spec(jails, path, {"stat", "/t"}).out.starts_with("40700 0 0 "));
  CHECK(contains(run_spec(jails, path, {"cat", "/proc/mounts"}).out,
                 " /t tmpfs ro,nosuid,nodev,noexec,relatime,size=1024k,mode=700"));
}

TEST_CASE("volume: its words are those of its mount") {
  const Jails jails;
  const std::string source = jails.root();
  const auto mount = [&](const std::string& words) {
    return mounted_on(jails, "/v", {"-v", source + ":/v" + words});
  };
  CHECK(contains(mount(""), " rw,nosuid,nodev,relatime"));
  CHECK(contains(mount(":noexec,ro"), " ro,nosuid,nodev,noexec,relatime"));
  CHECK(contains(mount(":suid,rprivate,nodev"), " rw,nodev,relatime"));
  CHECK_EQ(jails.probe({"execute", "/v/bin/probe", "x"}, {"-v", source + ":/v:noexec"}).out,
           "EACCES\n");
  CHECK_EQ(jails.probe({"execute", "/v/bin/probe", "x"}, {"-v", source + ":/v:exec"}).out, "x\n");
  if (::geteuid() == 0) {
    CHECK_EQ(jails.probe({"true"}, {"-v", source + ":/v:idmap"}).code, 0);
    CHECK_EQ(jails.probe({"true"}, {"-v", source + ":/v:idmap", "--userns", "host"}).code, 0);
  } else {
    const Ran ran = jails.probe({"true"}, {"-v", source + ":/v:idmap"});
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, "--volume: map the ids of " + source + ": Operation not permitted"));
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("volume: what is mounted below a read-only one is read-only, and with `bind` not there") {
  if (::geteuid() != 0) return skip("a mount on the host takes root");
  const Jails jails;
  const std::string source = jails.scratch() / "volume";
  fs::create_directories(source + "/below");
  put_file(source + "/below/under", "");
  // The ids of a tmpfs can be mapped from Linux 6.3 on, so none are.
  const auto below = [&](const std::string& words, const Words& probe) {
    Words all = {"unshare",
                 "--mount",
                 "--",
                 "sh",
                 "-c",
                 "mount -t tmpfs none \"$1/below\" && : >\"$1/below/over\" && shift && exec \"$@\"",
                 "sh",
                 source};
    for (const std::string& word :
         jails.command({"run", "--userns", "host", "-v", source + ":/v" + words, jails.root(), "--",
                        "/bin/probe"}))
      all.push_back(word);
    all.insert(all.end(), probe.begin(), probe.end());
    return run(all).out;
  };
  CHECK_EQ(below("", {"list", "/v/below"}), "over\n");
  CHECK_EQ(below("", {"put", "/v/below/new", "x"}), "ok\n");
  CHECK_EQ(below(":ro", {"put", "/v/below/new", "x"}), "EROFS\n");
  CHECK_EQ(below(":ro,rbind", {"put", "/v/below/over", "x"}), "EROFS\n");
  CHECK_EQ(below(":bind", {"list", "/v/below"}), "under\n");
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("bad volume: its target is a device in the root, or the root") {
  const Jails jails;
  const std::string device = jails.root() + "/device";
  const std::string source = jails.scratch() / "file";
  put_file(source, "");
  Ran ran = jails.probe({"true"}, {"-v", source + ":/"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "--volume: the root of the jail cannot be a mount's target\n"));
  if (::mknod(device.c_str(), S_IFCHR | 0666, makedev(1, 3)) < 0)
    return skip("no device can be made here");
  for (const std::string& from : {source, jails.root()}) {
    ran = jails.probe({"true"}, {"-v", from + ":/device"});
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, "--volume: mount " + from + " on /device: "));
    CHECK(contains(ran.err, "/device is a device in the root"));
  }
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("volume: inside another its mount point is made there, in whatever order they stand") {
  const Jails jails;
  const std::string outer = jails.scratch() / "outer";
  fs::create_directory(outer);
  put_file(jails.scratch() / "file", "text");
  const Words inner = {"-v", jails.scratch() / "file:/data/a/file", "-v", outer + ":/data"};
  CHECK_EQ(jails.probe({"cat", "/data/a/file"}, inner).out, "text");
  CHECK_EQ(file_bytes(outer + "/a/file"), "");
  // A read-only one takes no mount point, and says so.
  const Ran ran =
      jails.probe({"true"}, {"-v", jails.scratch() / "file:/data/b", "-v", outer + ":/data:ro"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "/data/b: "));
  CHECK(contains(ran.err, "Read-only file system"));
  CHECK_FALSE(fs::exists(outer + "/b"));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

// Rule: files that jaula puts into a root follow no link and open nothing that lies there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

constexpr const char* kNaive = "place by a mount,no link or FIFO as a file";

std::string pid_mounts(pid_t pid) {
  return file_bytes("/proc/" + std::to_string(pid) + "/mountinfo");
}

// A spec with one secret and one config.
std::string put_spec(const Ground& ground) {
  const std::string path = ground.jails().scratch() / "web.yaml";
  put_file(path, "services:\n  web:\n    rootfs: " + ground.root() +
                     "\n    secrets: [token]\nsecrets: {token: {content: hunter2}}\n");
  return path;
}

}  // namespace

TEST_CASE(
    "paths: /etc/hosts that is a link to a file of the host is not written through "
    "(CVE-2015-1335, CVE-2015-3629)") {
  const Ground ground;
  Attack attack;
  const std::string secret = ground.outside() + "/secret";
  ::chmod(secret.c_str(), 0666);
  const std::string before = file_bytes(secret);
  fs::create_symlink(secret, ground.root() + "/etc/hosts");
  for (const char* ephemeral : {"--ephemeral", "--ephemeral=false"}) {
    const Ran ran = ground.probe({"cat", "/etc/hosts"}, {ephemeral});
    attack.held(contains(ran.out, "localhost") && file_bytes(secret) == before,
                ran.out + ran.err + file_bytes(secret));
  }
  ground.without(kNaive).probe({"true"});
  attack.control(contains(file_bytes(secret), "localhost"), file_bytes(secret));
}

TEST_CASE(
    "paths: /etc/hosts that is a FIFO is not opened; whoever reads it on the host gets nothing") {
  const Ground ground;
  Attack attack;
  const std::string fifo = ground.root() + "/etc/hosts";
  REQUIRE_EQ(::mkfifo(fifo.c_str(), 0666), 0);
  ::chmod(fifo.c_str(), 0666);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto read = [&] {
    char bytes[512];
    const ssize_t size = ::read(reader.get(), bytes, sizeof bytes);
    return std::string(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
  };
  for (const char* ephemeral : {"--ephemeral", "--ephemeral=false"}) {
    const Ran ran = ground.probe({"cat", "/etc/hosts"}, {ephemeral});
    const std::string seen = read();
    attack.held(contains(ran.out, "localhost") && seen.empty(), ran.out + ran.err + seen);
  }
  ground.without(kNaive).probe({"true"}, {"--ephemeral=false"});
  const std::string written = read();
  attack.control(contains(written, "localhost"), written);
}

TEST_CASE(
    "paths: /etc swapped for a link while hosts is placed takes nothing outside (CVE-2021-30465)") {
  Attack attack;
  const auto lands_outside = [](const std::string& without, std::string& seen) {
    const Ground ground;
    put_file(ground.root() + "/etc/hosts", "");
    put_file(ground.outside() + "/hosts", "");
    const Stopped stopped(ground, without, "attach etc/hosts,attach z",
                          {"run", "--ephemeral=false", "-v", ground.root() + "/bin:/z",
                           ground.root(), "--", "probe", "true"});
    REQUIRE(stopped.wait());
    fs::rename(ground.root() + "/etc", ground.root() + "/etc.old");
    fs::create_directory_symlink(ground.outside(), ground.root() + "/etc");
    stopped.go_on();
    REQUIRE(stopped.wait());
    seen = pid_mounts(stopped.child());
    return contains(seen, " " + ground.outside() + "/hosts ");
  };
  std::string seen;
  attack.held(!lands_outside("", seen) && contains(seen, "/etc.old/hosts "), seen);
  attack.control(lands_outside("mount by descriptor", seen), seen);
}

TEST_CASE("paths: /run/secrets that is a link out of the root leads nowhere (CVE-2026-41579)") {
  const Ground ground;
  Attack attack;
  fs::create_directory(ground.root() + "/run");
  fs::create_directory_symlink(ground.outside(), ground.root() + "/run/secrets");
  const std::string spec = put_spec(ground);
  const Words words = {"run", spec, "--", "/bin/probe", "cat", "/run/secrets/token"};
  Ran ran = ground.jaula(words);
  attack.held(ran.code == 125 && contains(ran.err, "services.web.secrets[0]: ") &&
                  ground.names_outside() == "secret",
              ran.out + ran.err + ground.names_outside());
  // Where the root has a directory of that path, that is where it leads, as it does for the
  // payload.
  fs::create_directories(ground.root() + ground.outside());
  ran = ground.jaula(words);
  attack.held(ran.out == "hunter2" && ground.names_outside() == "secret",
              ran.out + ran.err + ground.names_outside());
  ground.without("walk inside the root").jaula(words);
  attack.control(ground.names_outside() == "secret token", ground.names_outside());
}

}  // namespace jaula::test

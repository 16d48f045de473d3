// Rule: no code of the jail's runs outside of it, and jaula's own file is out of its reach.
#include <sys/stat.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

// What the root calls a shell is the program that starts it, and its loader is the attacker's.
void lay_trap(const Ground& ground) {
  fs::create_symlink("/proc/self/exe", ground.root() + "/bin/sh");
  fs::create_directory(ground.root() + "/lib64");
  fs::copy_file(JAULA_BIN_DIR "/hostile_loader", ground.root() + "/lib64/ld-linux-x86-64.so.2");
}

// A copy of a program: this is what a success would change.
std::string copy_of(const Ground& ground, const std::string& program) {
  const std::string copy = ground.jails().scratch() / fs::path(program).filename();
  fs::copy_file(program, copy, fs::copy_options::skip_existing);
  ::chmod(copy.c_str(), 0755);
  return copy;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

// While it is executed somewhere nobody writes it, and that is told first.
bool is_refused(const Ran& ran) {
  return ran.out == "write EROFS\nchmod EROFS\n" || ran.out == "write ETXTBSY\nchmod EROFS\n";
}

}  // namespace

TEST_CASE(
    "binary: the host's program behind /proc/self/exe cannot be changed from inside "
    "(CVE-2019-5736)") {
  const Ground ground;
  Attack attack;
  lay_trap(ground);
  const std::string program = copy_of(ground, jaula_binary());
  const std::string mutant = copy_of(ground, ground.mutant({})[0]);
  const std::string name = ground.jails().name("trap");
  const auto spring = [&](const std::string& command, const Words& words, const RunSettings& how) {
    Words all = {command, "--root", ground.jails().state()};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, how);
  };
  const RunSettings careless = {.environment = {{"JAULA_MUTANT", "own file read-only"}}};
  const std::string spec =
      "services: {trap: {rootfs: " + ground.root() + ", userns_mode: host, command: [/bin/sh]}}\n";
  const Words as_root = {"run", "--userns", "host", ground.root(), "--", "/bin/sh"};

  Ran ran = spring(program, {"run", ground.root(), "--", "/bin/sh"}, {});
  attack.held(ran.out == "write EACCES\nchmod EPERM\n", ran.out + ran.err);
  ran = spring(program, as_root, {});
  attack.held(is_refused(ran), ran.out + ran.err);
  Words as_mounter = as_root;
  as_mounter.insert(as_mounter.begin() + 1, {"--cap-add", "SYS_ADMIN"});
  ran = spring(program, as_mounter, {});
  attack.held(is_refused(ran), ran.out + ran.err);
  ran = spring(program, {"run", "-"}, {.input = spec});
  attack.held(is_refused(ran), ran.out + ran.err);
  ran = spring(mutant, as_root, careless);
  attack.control(mode_of(mutant) == 0777, ran.out + ran.err);

  ground.jails().start(name, {"await", "TERM"}, {"--userns", "host"});
  ran = spring(program, {"exec", name, "/bin/sh"}, {});
  attack.held(is_refused(ran), ran.out + ran.err);
  ::chmod(mutant.c_str(), 0755);
  ran = spring(mutant, {"exec", name, "/bin/sh"}, careless);
  attack.control(mode_of(mutant) == 0777, ran.out + ran.err);
  attack.held(mode_of(program) == 0755, std::to_string(mode_of(program)));

  if (!have_peer("bwrap")) return;
  const std::string peer = copy_of(ground, "/usr/bin/bwrap");
  Words words = bubblewrap(ground, {}, {"/bin/sh"});
  words[0] = peer;
  ran = run(words);
  attack.peer("bwrap", mode_of(peer) == 0777, ran.out + ran.err);
}

TEST_CASE("binary: a user's own program is not what the user's jail gets hold of (CVE-2019-5736)") {
  const Ground ground;
  lay_trap(ground);
  constexpr uid_t kNobody = 65534;
  const std::string state = ground.jails().scratch() / "of-nobody";
  fs::create_directory(state);
  REQUIRE_EQ(::chown(state.c_str(), kNobody, kNobody), 0);
  const auto mode_after = [&](const std::string& program, const std::string& without, Ran& ran) {
    const std::string copy = copy_of(ground, program);
    REQUIRE_EQ(::chown(copy.c_str(), kNobody, kNobody), 0);
    ran = run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "--root",
               state + "/state", "run", "--degrade", "warn", ground.root(), "--", "/bin/sh"},
              {.environment = {{"JAULA_MUTANT", without}}});
    return mode_of(copy);
  };
  Ran ran;
  const mode_t harmed = mode_after(ground.mutant({})[0], "own file read-only", ran);
  if (ran.code == 125) return skip("a user gets no jail here");
  Attack attack;
  attack.control(harmed == 0777, ran.out + ran.err);
  const mode_t kept = mode_after(jaula_binary(), "", ran);
  attack.held(kept == 0755 && contains(ran.out, "write "), ran.out + ran.err);
}

}  // namespace jaula::test

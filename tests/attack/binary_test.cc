// Rule: no code of the jail's runs outside of it, and jaula's own file is out of its reach.
#include <sys/stat.h>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace fs = std::filesystem;

TEST_CASE(
    "binary: the host's program behind /proc/self/exe cannot be changed from inside "
    "(CVE-2019-5736)") {
  const Ground ground;
  Attack attack;
  // What the root calls a shell is the program that starts it, and its loader is the attacker's.
  fs::create_symlink("/proc/self/exe", ground.root() + "/bin/sh");
  fs::create_directory(ground.root() + "/lib64");
  fs::copy_file(JAULA_BIN_DIR "/hostile_loader", ground.root() + "/lib64/ld-linux-x86-64.so.2");
  // A copy of the program: this is what a success would change.
  const std::string copy = ground.jails().scratch() / "jaula";
  fs::copy_file(jaula_binary(), copy);
  const auto run_shell = [&](const Words& options) {
    Words words = {copy, "--root", ground.jails().state(), "run"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {ground.root(), "--", "/bin/sh"});
    return run(words);
  };
  Ran ran = run_shell({});
  attack.held(ran.out == "write EACCES\nchmod EPERM\n", ran.out + ran.err);
  ran = run_shell({"--userns", "host"});
  attack.control(contains(ran.out, "chmod ok"), ran.out + ran.err);
}

}  // namespace jaula::test

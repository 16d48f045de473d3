// Rule: what root inside can write of /proc and /sys is known file by file.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/plan/profile.h"
#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

using Lines = std::set<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

// What differs from a golden list: "+FILE" is not in it, "-FILE" is missing. A line that begins
// with
// "? " may be missing: not every kernel has that file. A '*' at the end stands for the rest.
std::string difference_to(const std::string& golden, const Lines& found) {
  const Lines lines = lines_of(file_bytes(JAULA_SOURCE_DIR "/tests/golden/" + golden));
  std::string text;
  Lines known;
  for (const std::string& line : lines) {
    if (line.empty() || line.starts_with('#')) continue;
    const bool optional = line.starts_with("? ");
    const std::string file = optional ? line.substr(2) : line;
    known.insert(file);
    if (!optional && !found.contains(file)) text += "-" + file + "\n";
  }
  for (const std::string& file : found)
    if (std::none_of(known.begin(), known.end(), [&](const std::string& name) {
          return file == name ||
                 (name.ends_with('*') && file.starts_with(name.substr(0, name.size() - 1)));
        }))
      text += "+" + file + "\n";
  return text;
}

// What `runc spec` gives, for a root and a command of ours.
std::string default_config(const Ground& ground, const Words& command) {
  const std::string directory = ground.jails().scratch() / "spec";
  std::filesystem::create_directory(directory);
  run({"sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; exec runc spec --bundle \"$1\"", "sh", directory});
  auto config = nlohmann::json::parse(file_bytes(directory + "/config.json"));
  config["process"]["args"] = command;
  config["process"]["terminal"] = false;
  config["root"] = {{"path", ground.root()}};
  config["linux"].erase("resources");  // a filter of devices, which takes CAP_SYS_RESOURCE
  return config.dump();
}

}  // namespace

TEST_CASE(
    "kernel knobs: what root inside opens for writing is a known list, with and without a user "
    "namespace (CVE-2015-3630)") {
  const Ground ground;
  Attack attack;
  const Mutant writable = ground.without("read-only paths,read-only kernel files");
  for (const char* mode : {"auto", "host"}) {
    CAPTURE(mode);
    const std::string golden = std::string("writable-userns-") + mode + ".txt";
    const Words options = {"--userns", mode};
    Ran ran = ground.attack({"writable"}, options);
    std::string seen = ran.code == 0 ? difference_to(golden, lines_of(ran.out)) : ran.err;
    attack.held(seen.empty(), seen);
    seen = difference_to(golden, lines_of(writable.attack({"writable"}, options).out));
    attack.control(contains(seen, "+/proc/sys/kernel/msgmax\n"), seen);
  }
}

TEST_CASE(
    "kernel knobs: what tells of the machine is masked (CVE-2017-16539, CVE-2018-10892, "
    "CVE-2020-8694)") {
  const Ground ground;
  Attack attack;
  const auto open_masks = [](const std::string& mounts) {
    std::string open;
    for (const std::string_view path : plan::kMaskedPaths) {
      // In a sysfs of the jail's own these are empty mount points.
      const bool empty = path.starts_with("/sys/fs/") || path.starts_with("/sys/kernel/");
      const std::string covered = " " + std::string(path) + " ro,";
      if (!empty && std::filesystem::exists(path) && !contains(mounts, covered))
        open += std::string(path) + "\n";
    }
    return open;
  };
  const Words mountinfo = {"cat", "/proc/self/mountinfo"};
  std::string seen = open_masks(ground.probe(mountinfo).out);
  attack.held(seen.empty(), seen);
  const Mutant without = ground.without("masks");
  seen = open_masks(without.probe(mountinfo).out);
  attack.control(contains(seen, "/proc/acpi\n") || contains(seen, "/proc/interrupts\n"), seen);
  const Words interrupts = {"cat", "/proc/interrupts"};
  seen = ground.probe(interrupts).out;
  attack.held(seen.empty(), seen);
  seen = without.probe(interrupts).out;
  attack.control(contains(seen, "CPU0"), seen);
  if (!have_peer("runc")) return;
  const Ran ran = run_runc(ground, default_config(ground, {"/bin/probe", "cat", interrupts[1]}));
  attack.peer("runc", contains(ran.out, "CPU0"), ran.out + ran.err);
}

TEST_CASE(
    "kernel knobs: a sysctl of the machine is not set, nor smuggled in behind one of the jail's "
    "(CVE-2022-0811)") {
  const Ground ground;
  Attack attack;
  // What it is already: a success would change nothing.
  const std::string path = "/proc/sys/vm/swappiness";
  std::string value = file_bytes(path);
  value.pop_back();
  const auto set = [&](const std::string& text) {
    return Words{"--userns", "host", "--sysctl", text};
  };
  for (const std::string& text :
       Words{"vm.swappiness=" + value, "kernel.shm_rmid_forced=1+vm.swappiness=" + value,
             "kernel.shm_rmid_forced=1\nvm.swappiness=" + value, "net/../vm/swappiness=" + value,
             "net...vm.swappiness=" + value, "fs.mqueue./../../vm/swappiness=" + value}) {
    const Ran ran = ground.probe({"true"}, set(text));
    attack.held(ran.code == 125, text + ": " + ran.err);
  }
  const Ran ran =
      ground.without("sysctls of the jail").probe({"true"}, set("vm.swappiness=" + value));
  attack.control(ran.code == 0, ran.err);
}

TEST_CASE("kernel knobs: the jail's own cgroup cannot be written (CVE-2023-25809)") {
  const Ground ground;
  Attack attack;
  const Words words = {"open-for-writing", "/sys/fs/cgroup/cgroup.procs"};
  const Words options = {"--userns", "host"};
  Ran ran = ground.attack(words, options);
  if (ran.out == "ENOENT\n") return skip("a jail has no cgroup here");
  attack.held(ran.out == "EROFS\n", ran.out + ran.err);
  ran = ground.without("read-only kernel files").attack(words, options);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

}  // namespace jaula::test

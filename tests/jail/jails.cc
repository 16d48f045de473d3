#include "tests/jail/jails.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cgroups/hierarchy.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/state_store.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

std::set<std::string> lines_of(const std::string& path) {
  std::set<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

nlohmann::json inspect(const Jails& jails, const std::string& name) {
  const Ran ran = jails.jaula({"inspect", name});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  return nlohmann::json::parse(ran.out).at(0);
}

}  // namespace

Remains look_around(const std::string& state) {
  // Others may start jails on this host meanwhile: the suffix is that of the state directory.
  const std::string ours = StateStore(roots_for(state)).cgroup_name("");
  Remains remains{.mounts = lines_of("/proc/self/mountinfo"), .cgroups = {}};
  const cgroups::Hierarchy hierarchy = cgroups::look();
  if (!hierarchy.parent.empty() && fs::exists(hierarchy.parent))
    for (const auto& entry : fs::directory_iterator(hierarchy.parent))
      if (entry.is_directory() && entry.path().string().ends_with(ours))
        remains.cgroups.insert(entry.path());
  return remains;
}

std::string difference(const Remains& before, const Remains& after) {
  std::string text;
  const auto add = [&](const char* what, const auto& old_set, const auto& new_set) {
    for (const std::string& one : new_set)
      if (!old_set.contains(one)) text += std::string(what) + one + "\n";
  };
  add("mount ", before.mounts, after.mounts);
  add("cgroup ", before.cgroups, after.cgroups);
  return text;
}

Jails::Jails() : root_(scratch_ / "root"), before_(look_around(state())) {
  prefix_ = "t" + scratch_.path().substr(scratch_.path().size() - 6) + "-";
  fs::create_directories(root_ + "/bin");
  fs::create_directories(root_ + "/tmp");
  fs::create_directories(root_ + "/etc");
  fs::copy_file(probe_binary(), root_ + "/bin/probe");
  put_file(root_ + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n");
  put_file(root_ + "/etc/group", "root:x:0:\nwebgroup:x:34:\nextra:x:50:web\n");
  // mkdtemp made it for us alone; an unprivileged id of a jail must be able to walk to its root.
  ::chmod(scratch_.path().c_str(), 0755);
}

Jails::~Jails() {
  const fs::path run = state() + "/run";
  if (fs::exists(run))
    for (const auto& entry : fs::directory_iterator(run))
      jaula({"rm", "-f", entry.path().filename()});
  // What other ids of a user's jail have made, only a jail of the user's can delete.
  for (const auto& entry : fs::directory_iterator(scratch_.path())) {
    std::error_code refused;
    fs::remove_all(entry.path(), refused);
    if (refused)
      test::run({jaula_binary(), "--root", scratch_ / "sweep", "run", "-v",
                 scratch_.path() + ":/scratch", "host", "--", "rm", "-rf",
                 "/scratch/" + entry.path().filename().string()});
  }
}

Words Jails::command(Words words) const {
  words.insert(words.begin(), {jaula_binary(), "--root", state()});
  return words;
}

Ran Jails::jaula(const Words& words, const RunSettings& settings) const {
  return run(command(words), settings);
}

Ran Jails::probe(const Words& words, const Words& options) const {
  Words all = {"run"};
  all.insert(all.end(), options.begin(), options.end());
  all.insert(all.end(), {root_, "--", "/bin/probe"});
  all.insert(all.end(), words.begin(), words.end());
  Ran ran = jaula(all);
  ran.err = without_warnings(ran.err);
  return ran;
}

void Jails::start(const std::string& name, const Words& words, const Words& options) const {
  Words all = {"run", "-d", "--name", name};
  all.insert(all.end(), options.begin(), options.end());
  all.insert(all.end(), {root_, "--", "/bin/probe"});
  all.insert(all.end(), words.begin(), words.end());
  const Ran ran = jaula(all);
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  CHECK_EQ(ran.out, name + "\n");
  Program log(command({"logs", "-f", name}), {});
  REQUIRE_EQ(log.line(), "ready");
}

int Jails::init_pid(const std::string& name) const {
  return inspect(*this, name).at("init").at("pid");
}

int Jails::monitor_pid(const std::string& name) const {
  return inspect(*this, name).at("monitor").at("pid");
}

std::string Jails::cgroup(const std::string& name) const {
  return inspect(*this, name).at("cgroup");
}

std::string Jails::left_behind() const {
  std::string text = difference(before_, look_around(state()));
  for (const char* part : {"/run", "/data"}) {
    if (!fs::exists(state() + part)) continue;
    for (const auto& entry : fs::directory_iterator(state() + part))
      text += "file " + entry.path().string() + "\n";
  }
  std::error_code none;  // a user claims none
  for (const auto& entry : fs::directory_iterator(Roots{}.ids, none))
    if (fs::read_symlink(entry.path(), none).string().starts_with(state()))
      text += "host ids " + entry.path().string() + "\n";
  return text;
}

std::string without_warnings(const std::string& text) {
  std::string kept;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("jaula: warning: ")) kept += line + "\n";
  return kept;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string status_field(const std::string& status, const std::string& name) {
  std::istringstream lines(status);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ":")) return std::string(trim(line.substr(name.size() + 1)));
  return {};
}

bool process_lives(int pid) {
  const std::string stat = file_bytes("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && stat.size() > end + 2 && stat[end + 2] != 'Z';
}

void await_end(int pid) {
  Result<Fd> process = sys::pidfd_open(pid);
  if (!process) return;
  pollfd polled{process->get(), POLLIN, 0};
  CHECK_MESSAGE(::poll(&polled, 1, 60'000) == 1, "process " << pid << " does not end");
}

bool installed(const std::string& path) { return fs::exists(path); }

void let_everybody_write(const std::string& directory) {
  if (::geteuid() == 0) return;
  fs::create_directory(directory);
  fs::permissions(directory, fs::perms::all);
}

bool have_controller(const std::string& name) { return cgroups::look().has(name); }

void skip(const std::string& why) { std::cout << "SKIP: " << why << "\n"; }

}  // namespace jaula::test

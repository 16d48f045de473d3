// What the end-to-end tests share: a state directory and a root of their own, the real binary, and
// the kernel's view of what is left afterwards.
#pragma once

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/run.h"
#include "tests/unit/scratch.h"

namespace jaula::test {

using Words = std::vector<std::string>;

// The parts of a host that a jail could leave something in.
struct Remains {
  std::set<std::string> mounts;   // of our mount namespace
  std::set<std::string> cgroups;  // of jails that a state directory has
  bool operator==(const Remains&) const = default;
};
Remains look_around(const std::string& state);
std::string difference(const Remains& before, const Remains& after);

class Jails {
 public:
  Jails();
  Jails(const Jails&) = delete;
  Jails& operator=(const Jails&) = delete;
  ~Jails();  // ends what a failed test left

  // `jaula --root STATE words…`
  [[nodiscard]] Words command(Words words) const;
  Ran jaula(const Words& words, const RunSettings& settings = {}) const;
  // `jaula run OPTIONS ROOT -- probe words…`; warnings of the host's are taken out of err.
  Ran probe(const Words& words, const Words& options = {}) const;
  // As a detached jail; returns when its payload has written the line "ready".
  void start(const std::string& name, const Words& words, const Words& options = {}) const;

  [[nodiscard]] std::string name(const std::string& suffix) const { return prefix_ + suffix; }
  [[nodiscard]] const std::string& root() const { return root_; }  // with /bin/probe
  [[nodiscard]] const Scratch& scratch() const { return scratch_; }
  [[nodiscard]] std::string state() const { return scratch_ / "state"; }
  [[nodiscard]] int init_pid(const std::string& name) const;  // from `inspect`
  [[nodiscard]] int monitor_pid(const std::string& name) const;
  [[nodiscard]] std::string cgroup(const std::string& name) const;
  // Nothing of any jail: no state, no log, no mount, no cgroup.
  [[nodiscard]] std::string left_behind() const;

 private:
  Scratch scratch_;
  std::string prefix_;
  std::string root_;
  Remains before_;
};

// Without the warnings about what this host cannot enforce.
std::string without_warnings(const std::string& text);

bool contains(const std::string& text, const std::string& part);
// The value of "Name:\tvalue" in the text of /proc/PID/status.
std::string status_field(const std::string& status, const std::string& name);
bool process_lives(int pid);
// Waits until the process has ended.
void await_end(int pid);

bool installed(const std::string& path);
// A directory that root's jaula makes for the jail's user; the jails of others have other ids for
// that user.
void let_everybody_write(const std::string& directory);

// Controllers that jails of this test can have.
bool have_controller(const std::string& name);
// Says why a test is not run here; the run's last line counts it.
void skip(const std::string& why);

}  // namespace jaula::test

// What the attacks share. Each is a test of its own: it runs against jaula, and against something
// without the mitigation, which is its control: jaula_mutant, an option that switches the layer
// off, or a peer, which is another runtime as Debian ships it.
#pragma once

#include <sys/socket.h>

#include <string>

#include "tests/jail/jails.h"

namespace jaula::test {

// One attack's line of the table that tests/attack/table prints: the class is the first word of the
// test's name or of `what`, the ids are all CVE-… in it.
class Attack {
 public:
  Attack();  // of the test that runs
  explicit Attack(std::string what) : what_(std::move(what)) {}
  Attack(const Attack&) = delete;
  Attack& operator=(const Attack&) = delete;
  ~Attack();
  // Both fail the test when they are false, and may be called more than once. `seen` is shown then.
  void control(bool fired, const std::string& seen);
  // A control by another runtime, which the attack must work on; the table names it.
  void peer(const std::string& name, bool fired, const std::string& seen);
  void held(bool held, const std::string& seen);

 private:
  enum class Answer : char { kNone, kNo, kYes };
  static const char* text(Answer answer);
  std::string what_;
  std::string peers_;
  Answer control_ = Answer::kNone, held_ = Answer::kNone;
};

class Ground;

// jaula_mutant without some of the mitigations, by their names in the code.
class Mutant {
 public:
  Mutant(const Ground& ground, std::string without)
      : ground_(ground), without_(std::move(without)) {}
  Ran attack(const Words& words, const Words& options = {}) const;
  Ran probe(const Words& words, const Words& options = {}) const;
  Ran jaula(const Words& words) const;

 private:
  const Ground& ground_;
  std::string without_;
};

class Ground {
 public:
  Ground();  // of Jails, with /bin/attacker in the root
  // `jaula run OPTIONS ROOT -- /bin/attacker words…`
  Ran attack(const Words& words, const Words& options = {}) const;
  Ran probe(const Words& words, const Words& options = {}) const;  // /bin/probe
  Ran jaula(const Words& words) const;
  // The same by the mutant.
  [[nodiscard]] Mutant without(std::string mitigations) const {
    return {*this, std::move(mitigations)};
  }
  [[nodiscard]] Words mutant(Words words) const;  // its command line

  [[nodiscard]] const Jails& jails() const { return jails_; }
  [[nodiscard]] const std::string& root() const { return jails_.root(); }
  // A directory beside the root, open to all, with the file "secret": what no jail may reach.
  [[nodiscard]] const std::string& outside() const { return outside_; }
  // What is in it by now.
  [[nodiscard]] std::string names_outside() const;

 private:
  Jails jails_;
  std::string outside_;
};

// A start by jaula_mutant that stops where it is told to: "make PATH" before a mount point is made,
// "attach PATH" before a mount, "bond " when the payload's ids are taken.
class Stopped {
 public:
  Stopped(const Ground& ground, const std::string& without, const std::string& stops,
          const Words& words);
  [[nodiscard]] bool wait() const;  // for the next stop; false when it ended without
  void go_on() const;
  Ran end() { return program_.wait(); }
  [[nodiscard]] pid_t pid() const { return program_.pid(); }
  [[nodiscard]] pid_t child() const;  // of jaula: what becomes the jail

 private:
  struct Pair {
    Pair();
    Fd ours, theirs;
  };
  Pair pair_;
  Program program_;
};

// The numbers of a process's children.
std::vector<pid_t> children_of(pid_t pid);

// Whether a peer is installed; says that this control is skipped if not.
bool have_peer(const std::string& name);
// `bwrap --bind ROOT / --proc /proc --dev /dev OPTIONS words…`
Words bubblewrap(const Ground& ground, const Words& options, const Words& words);
// `runc run` of a bundle with this config.json, and with a root that has /proc, /dev and /sys.
Ran run_runc(const Ground& ground, const std::string& config);

}  // namespace jaula::test

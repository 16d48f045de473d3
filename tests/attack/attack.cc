#include "tests/attack/attack.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <iostream>
#include <sstream>

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

// Other users' files, host ids and jails without a user namespace are part of nearly all of them.
[[maybe_unused]] const bool kRoot = [] {
  if (::geteuid() == 0) return true;
  skip("the attacks take root");
  std::cout.flush();
  ::_exit(0);
}();

std::string mutant_binary() { return JAULA_BIN_DIR "/jaula_mutant"; }

Words run_words(const Ground& ground, const std::string& program, const Words& words,
                const Words& options) {
  Words all = {"run"};
  all.insert(all.end(), options.begin(), options.end());
  all.insert(all.end(), {ground.root(), "--", "/bin/" + program});
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

}  // namespace

Attack::Attack() : what_(doctest::getContextOptions()->currentTest->m_name) {}

Attack::~Attack() {
  std::cout << "ATTACK: control=" << text(control_) << " held=" << text(held_)
            << " peers=" << (peers_.empty() ? "-" : peers_) << " " << what_ << std::endl;
}

const char* Attack::text(Answer answer) {
  return answer == Answer::kYes ? "yes" : answer == Answer::kNo ? "no" : "-";
}

void Attack::control(bool fired, const std::string& seen) {
  if (control_ != Answer::kNo) control_ = fired ? Answer::kYes : Answer::kNo;
  CHECK_MESSAGE(fired, "the control did not work: " << what_ << ": " << seen);
}

void Attack::peer(const std::string& name, bool fired, const std::string& seen) {
  if (fired) peers_ += (peers_.empty() ? "" : ",") + name;
  control(fired, name + ": " + seen);
}

void Attack::held(bool held, const std::string& seen) {
  if (held_ != Answer::kNo) held_ = held ? Answer::kYes : Answer::kNo;
  CHECK_MESSAGE(held, "the attack worked: " << what_ << ": " << seen);
}

Ground::Ground() : outside_(jails_.scratch() / "outside") {
  fs::copy_file(JAULA_BIN_DIR "/attacker", root() + "/bin/attacker");
  fs::create_directory(outside_);
  ::chmod(outside_.c_str(), 0777);
  put_file(outside_ + "/secret", "of the host");
}

std::string Ground::names_outside() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(outside_))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

Words Ground::mutant(Words words) const {
  words.insert(words.begin(), {mutant_binary(), "--root", jails_.state()});
  return words;
}

Ran Ground::jaula(const Words& words) const {
  Ran ran = jails_.jaula(words);
  ran.err = without_warnings(ran.err);
  return ran;
}

Ran Ground::attack(const Words& words, const Words& options) const {
  return jaula(run_words(*this, "attacker", words, options));
}

Ran Ground::probe(const Words& words, const Words& options) const {
  return jaula(run_words(*this, "probe", words, options));
}

Ran Mutant::jaula(const Words& words) const {
  Ran ran = run(ground_.mutant(words), {.environment = {{"JAULA_MUTANT", without_}}});
  ran.err = without_warnings(ran.err);
  return ran;
}

Ran Mutant::attack(const Words& words, const Words& options) const {
  return jaula(run_words(ground_, "attacker", words, options));
}

Ran Mutant::probe(const Words& words, const Words& options) const {
  return jaula(run_words(ground_, "probe", words, options));
}

Stopped::Pair::Pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) ::abort();
  ours = Fd(ends[0]);
  theirs = Fd(ends[1]);
  ::fcntl(ours.get(), F_SETFD, FD_CLOEXEC);
}

Stopped::Stopped(const Ground& ground, const std::string& without, const std::string& stops,
                 const Words& words)
    : program_(
          ground.mutant(words),
          {.environment = {{"JAULA_MUTANT", without},
                           {"JAULA_STOP", std::to_string(pair_.theirs.get()) + ":" + stops}}}) {
  pair_.theirs.reset();
}

bool Stopped::wait() const {
  char byte = 0;
  return ::read(pair_.ours.get(), &byte, 1) == 1;
}

void Stopped::go_on() const { REQUIRE_EQ(::send(pair_.ours.get(), "g", 1, MSG_NOSIGNAL), 1); }

pid_t Stopped::child() const {
  const std::vector<pid_t> children = children_of(pid());
  REQUIRE_EQ(children.size(), 1);
  return children[0];
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::istringstream words(file_bytes("/proc/" + number + "/task/" + number + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; words >> child;) children.push_back(child);
  return children;
}

bool have_peer(const std::string& name) {
  for (const char* directory : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"})
    if (fs::exists(directory + name)) return true;
  skip(name + " is not installed: ./dev setup attack");
  return false;
}

Words bubblewrap(const Ground& ground, const Words& options, const Words& words) {
  Words all = {"/usr/bin/bwrap", "--bind", ground.root(), "/", "--proc", "/proc", "--dev", "/dev"};
  all.insert(all.end(), options.begin(), options.end());
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Ran run_runc(const Ground& ground, const std::string& config) {
  const std::string bundle = ground.jails().scratch() / "bundle";
  fs::create_directory(bundle);
  for (const char* name : {"/proc", "/dev", "/sys"}) fs::create_directory(ground.root() + name);
  put_file(bundle + "/config.json", config);
  // It insists on one kind of cgroups: here it gets to see v2 alone, in a mount namespace of its
  // own.
  return run({"unshare", "-m", "--propagation", "private", "sh", "-c",
              "umount -l -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"",
              "sh", "runc", "--root", ground.jails().scratch() / "runc", "run", "--bundle", bundle,
              ground.jails().name("runc")},
             {.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}});
}

}  // namespace jaula::test

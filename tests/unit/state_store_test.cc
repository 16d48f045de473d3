// The records of jails: names, locks, torn and stale state, ends. Processes that die at the wrong
// moment are real ones.
#include "runtime/state_store.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "runtime/stop.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct Store {
  Scratch scratch;
  StateStore store{Roots{.run = scratch / "run", .data = scratch / "data", .ids = scratch / "ids"}};
  [[nodiscard]] std::string run(const std::string& name) const { return scratch / "run/" + name; }
  JailDirectory made(const std::string& name) {
    Result<JailDirectory> jail = store.create(name);
    REQUIRE_EQ(said(jail), "");
    return std::move(*jail);
  }
};

JailState state_of(const std::string& name) {
  JailState state;
  state.name = name;
  state.status = Status::kRunning;
  state.boot_id = boot_id();
  state.monitor = *process_id(::getpid());
  state.created = 1'700'000'000'123'456'789;
  state.cgroup = "/sys/fs/cgroup/jaula/" + name;
  state.degraded = {"no cgroup controllers"};
  state.config.name = name;
  state.config.process.args = {"\xff"};
  return state;
}

Exit ended(int code) { return {.code = code, .detail = "told"}; }

TEST_CASE("state: what is saved is loaded") {
  Store s;
  JailDirectory jail = s.made("web");
  CHECK_EQ(said(jail.save(state_of("web"))), "");
  Result<JailDirectory> again = s.store.open("web");
  REQUIRE_EQ(said(again), "");
  const Result<JailState> state = again->load();
  REQUIRE_EQ(said(state), "");
  CHECK_EQ(to_json(*state), to_json(state_of("web")));
  CHECK_EQ(state->monitor.start_time, process_id(::getpid())->start_time);
}

TEST_CASE("state: a name is a short word that starts with a letter or digit") {
  for (const char* name : {"web", "0", "a.b-c_d", "WEB"}) CHECK(spec::is_name(name));
  CHECK(spec::is_name(std::string(64, 'a')));
  Store s;
  const std::vector<std::string> names = {
      "", ".", "..", ".ids", "-a", "a/b", "a b", "a\n", "\xc3", "../web", std::string(65, 'a')};
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK_FALSE(spec::is_name(name));
    CHECK_FALSE(s.store.create(name));
    CHECK_FALSE(s.store.open(name));
  }
  CHECK_EQ(said(s.store.create("\x1b[2J")), "\"\\x1b[2J\" cannot be the name of a jail");
  CHECK_FALSE(fs::exists(s.run("")));
}

TEST_CASE("state: a name in use is refused with what to do") {
  Store s;
  const JailDirectory jail = s.made("web");
  const Result<JailDirectory> second = s.store.create("web");
  REQUIRE_FALSE(second);
  CHECK_EQ(second.error().code(), EEXIST);
  CHECK_EQ(second.error().text(), "the name web is in use");
  CHECK(second.error().hint_text().find("jaula rm -f web") != std::string_view::npos);
}

TEST_CASE("state: of many processes that want one name, one gets it") {
  Store s;
  std::vector<std::unique_ptr<Child>> children(8);
  for (auto& child : children)
    child = std::make_unique<Child>([&] {
      const Result<JailDirectory> jail = s.store.create("web");
      return jail ? 10 : jail.error().code() == EEXIST ? 11 : 12;
    });
  int got = 0;
  for (const auto& child : children) {
    const int code = child->wait();
    CHECK((code == 10 || code == 11));
    got += code == 10 ? 1 : 0;
  }
  CHECK_EQ(got, 1);
}

TEST_CASE("state: a jail that is not there is named, with the nearest that is") {
  Store s;
  CHECK_EQ(said(s.store.open("web")), "there is no jail web: ");
  const JailDirectory jail = s.made("webserver");
  const Result<JailDirectory> other = s.store.open("webservr");
  REQUIRE_FALSE(other);
  CHECK_EQ(other.error().code(), ENOENT);
  CHECK_EQ(other.error().hint_text(), "did you mean `webserver`?");
}

TEST_CASE("state: names are sorted, and nothing else in the directory is one") {
  Store s;
  CHECK_EQ(s.store.names()->size(), 0);
  const JailDirectory b = s.made("b");
  const JailDirectory a = s.made("a");
  JailDirectory c = s.made("c");
  REQUIRE(s.store.take_id_range(c));
  put_file(s.run("file"), "");
  CHECK_EQ(*s.store.names(), std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("state: the run directory must be ours alone") {
  Store s;
  fs::create_directories(s.run(""));
  ::chmod(s.run("").c_str(), 0755);
  REQUIRE_FALSE(s.store.names());
  CHECK_EQ(s.store.names().error().code(), EPERM);
  const fs::perms left = fs::status(s.run("")).permissions();  // as it was
  CHECK_EQ(left, fs::perms(0755));
  const Result<JailDirectory> shared = StateStore(s.store.roots()).create("web");
  REQUIRE_FALSE(shared);
  CHECK_EQ(shared.error().code(), EPERM);
  CHECK(shared.error().hint_text().starts_with("others have access to it"));
  ::chmod(s.run("").c_str(), 0700);

  const Scratch elsewhere;
  fs::create_directory_symlink(s.run(""), elsewhere / "run");
  const StateStore linked({.run = elsewhere / "run", .data = elsewhere / "data"});
  CHECK_EQ(said(linked.names()), "open " + (elsewhere / "run") + ": Not a directory");
}

TEST_CASE("state: the run directory of another user is refused") {
  Store s;
  fs::create_directories(s.run(""));
  if (::geteuid() != 0) {
    std::puts("SKIP: needs root to give a directory away");
    return;
  }
  REQUIRE_EQ(::chown(s.run("").c_str(), 12345, 12345), 0);
  const Result<std::vector<std::string>> names = s.store.names();
  REQUIRE_FALSE(names);
  CHECK_EQ(names.error().hint_text(), "it belongs to user 12345; see --root");
}

TEST_CASE("state: links are not followed") {
  Store s;
  const JailDirectory web = s.made("web");
  fs::create_directory_symlink("web", s.run("link"));
  CHECK_EQ(said(s.store.open("link")), "open " + s.run("link") + ": Not a directory");
  put_file(s.scratch / "foreign", "{}");
  fs::create_symlink(s.scratch / "foreign", s.run("web/state.json"));
  const Result<JailState> state = s.store.open("web")->load();
  REQUIRE_FALSE(state);
  CHECK_EQ(state.error().code(), ELOOP);
}

// --- locks

TEST_CASE("state: a lock goes with its process, and a died maker shows as intent alone") {
  Store s;
  Pipe made;
  Child maker([&] {
    const Result<JailDirectory> jail = s.store.create("web");
    made.signal();
    return ::pause();
  });
  made.wait();
  JailDirectory jail = s.store.open("web").value();
  CHECK_EQ(*jail.try_lock(), false);
  maker.kill();
  maker.wait();
  CHECK_EQ(*jail.try_lock(), true);
  const Result<JailState> state = jail.load();
  REQUIRE_FALSE(state);
  CHECK_EQ(state.error().code(), ENOENT);
  CHECK_EQ(said(jail.remove()), "");
  CHECK_FALSE(fs::exists(s.run("web")));
}

TEST_CASE("state: who waited for the lock of a removed jail is told that it is gone") {
  Store s;
  JailDirectory owner = s.made("web");
  JailDirectory late = s.store.open("web").value();
  Pipe locked;
  Child waiter([&] {
    JailDirectory jail = s.store.open("web").value();
    locked.signal();
    const Result<void> lock = jail.lock();
    return lock ? 10 : lock.error().code() == ENOENT ? 11 : 12;
  });
  locked.wait();
  CHECK_EQ(said(owner.remove()), "");
  CHECK_EQ(waiter.wait(), 11);
  // A new jail of the name does not make the old handle live.
  const JailDirectory next = s.made("web");
  CHECK_EQ(said(late.lock()), "there is no jail web: ");
}

TEST_CASE("state: makers and removers of one name end with all or nothing") {
  Store s;
  constexpr int kRounds = 400;
  const auto remover = [&] {
    for (int i = 0; i < kRounds; ++i) {
      Result<JailDirectory> jail = s.store.open("web");
      if (!jail && jail.error().code() != ENOENT) return 10;
      if (!jail) continue;
      const Result<void> removed = jail->remove();
      if (!removed && removed.error().code() != ENOENT) return 11;
    }
    return 0;
  };
  const auto maker = [&] {
    for (int i = 0; i < kRounds; ++i) {
      Result<JailDirectory> jail = s.store.create("web");
      if (!jail && jail.error().code() != EEXIST) return 20;
      if (jail && !jail->save(state_of("web"))) return 21;
      if (jail && !jail->load()) return 22;
      if (jail && !jail->remove()) return 23;
    }
    return 0;
  };
  Child first(maker);
  Child second(maker);
  Child third(remover);
  CHECK_EQ(first.wait(), 0);
  CHECK_EQ(second.wait(), 0);
  CHECK_EQ(third.wait(), 0);
  CHECK(fs::is_empty(s.run("")));
}

// --- torn state, removal

TEST_CASE("state: no part of a state file is taken for the whole") {
  const std::string text = to_json(state_of("web"));
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(state_from_json(text.substr(0, size)));
  CHECK_EQ(said(state_from_json(text)), "");
}

TEST_CASE("state: a torn or foreign state file is said to be one, and rm needs none") {
  Store s;
  for (const std::string& text : {std::string("{"), std::string(), std::string("{\"format\":1}"),
                                  std::string(1 << 21, ' '), std::string("{\"format\":99}")}) {
    JailDirectory jail = s.made("web");
    put_file(s.run("web/state.json"), text);
    const Result<JailState> state = jail.load();
    REQUIRE_FALSE(state);
    CAPTURE(state.error().text());
    CHECK((state.error().code() == EBADMSG || state.error().code() == EFBIG));
    CHECK(state.error().text().find("/run/web/state.json") != std::string_view::npos);
    CHECK_EQ(said(jail.remove()), "");
    CHECK_FALSE(fs::exists(s.run("web")));
  }
}

// A process that lives until the test has looked at it.
class Victim {
 public:
  Victim() : pid_(::fork()) {
    if (pid_ == 0)
      for (;;) ::pause();
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] ProcessId id() const { return *process_id(pid_); }
  // It was not signalled: an end would be told at once, for a killed process is a zombie before
  // kill(2) has returned to the one who waits for it.
  [[nodiscard]] bool lives() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0 && is_alive(id());
  }

 private:
  pid_t pid_;
};

TEST_CASE("state: the ids of a record of another boot name no process of this one") {
  Store s;
  const Victim victim;
  for (const std::string& boot : {std::string("another"), boot_id()}) {
    JailDirectory jail = s.made("web");
    JailState state = state_of("web");
    state.cgroup.clear();
    state.boot_id = boot;
    state.monitor = {.pid = 1, .start_time = 1};
    state.init = victim.id();
    CHECK_EQ(said(jail.save(state)), "");
    jail.unlock();
    sweep(s.store);
    CHECK_FALSE(fs::exists(s.run("web")));
    CHECK_EQ(victim.lives(), boot == "another");  // of this boot it is the jail's own: the control
  }
}

TEST_CASE("state: a jail whose record another jaula has written is left alone but by rm -f") {
  Store s;
  for (const char* added : {"{\"later\":true,", "{\"format\":99,"}) {
    JailDirectory jail = s.made("web");
    std::string text = to_json(state_of("web"));
    put_file(s.run("web/state.json"), added + text.substr(1));
    jail.unlock();
    sweep(s.store);
    CHECK(fs::exists(s.run("web/state.json")));
    const Result<Seen> seen = look_at(s.store, "web");
    REQUIRE_EQ(said(seen), "");
    CHECK(seen->unreadable);
    for (const Result<void>& refused :
         {remove_jail(s.store, "web", false), stop_jail(s.store, "web", {}),
          signal_jail(s.store, "web", SIGTERM, false)}) {
      REQUIRE_FALSE(refused);
      CHECK_EQ(refused.error().hint_text(), "`jaula rm -f web` removes what is left of this jail");
    }
    CHECK_EQ(said(remove_jail(s.store, "web", true)), "");
    CHECK_FALSE(fs::exists(s.run("web")));
  }
}

TEST_CASE(
    "state: what a foreground jail leaves when its launcher dies at the very end is cleared") {
  Store s;
  for (const bool detached : {false, true}) {
    JailDirectory jail = s.made("web");
    JailState state = state_of("web");
    state.monitor = {.pid = 1, .start_time = 1};
    state.cgroup.clear();
    state.detached = detached;
    CHECK_EQ(said(jail.save(state)), "");
    CHECK_EQ(said(jail.save_exit(ended(3))), "");
    jail.unlock();
    sweep(s.store);
    CHECK_EQ(fs::exists(s.run("web")),
             detached);  // that of a detached one is there to be asked for
  }
}

TEST_CASE("state: a state directory has one name, however it was typed") {
  const Scratch scratch;
  fs::create_directories(scratch / "root");
  fs::create_directory_symlink(scratch / "root", scratch / "link");
  const std::string plain = roots_for(scratch / "root").run;
  for (const char* other : {"root/", "root//", "./root", "link", "link/../root"})
    CHECK_EQ(roots_for(scratch / other).run, plain);
  CHECK_EQ(roots_for(scratch / "not/there/").run, roots_for(scratch / "not/there").run);
}

TEST_CASE("state: a directory that is no record of a jail is not listed and never emptied") {
  Store s;
  const JailDirectory jail = s.made("web");
  fs::create_directories(s.run("important/sub"));
  put_file(s.run("important/sub/file"), "precious");
  CHECK_EQ(*s.store.names(), std::vector<std::string>{"web"});
  JailDirectory other = s.store.open("important").value();
  const Result<void> removed = other.remove();
  REQUIRE_FALSE(removed);
  CHECK_EQ(removed.error().code(), ENOTEMPTY);
  CHECK_EQ(removed.error().hint_text(), "jaula has not made what is in it");
  CHECK_EQ(file_bytes(s.run("important/sub/file")), "precious");
  CHECK_FALSE(s.store.create("important"));
}

TEST_CASE("state: removal takes what jaula has made, and nothing else") {
  Store s;
  JailDirectory jail = s.made("web");
  CHECK_EQ(said(jail.save(state_of("web"))), "");
  put_file(s.scratch / "outside", "kept");
  put_file(s.run("web/stop"), "");
  put_file(s.run("web/state.json.new"), "");
  fs::create_directories(jail.log_path());
  fs::create_symlink(s.scratch / "outside", jail.log_path() + "/log.2");
  put_file(jail.log_path() + "/log", "x");
  put_file(jail.log_path() + "/log.1", "x");
  CHECK_EQ(said(jail.remove()), "");
  CHECK_FALSE(fs::exists(s.run("web")));
  CHECK_FALSE(fs::exists(s.scratch / "data/web"));
  CHECK_EQ(file_bytes(s.scratch / "outside"), "kept");

  JailDirectory again = s.made("web");
  fs::create_directories(again.log_path());
  put_file(again.log_path() + "/db", "precious");
  CHECK_EQ(said(again.remove()), "");
  CHECK_FALSE(fs::exists(s.run("web")));
  CHECK_EQ(file_bytes(s.scratch / "data/web/db"), "precious");
}

TEST_CASE("state: a configuration that could not be loaded again is not saved") {
  Store s;
  JailDirectory jail = s.made("web");
  JailState state = state_of("web");
  state.config.process.args.assign(20, std::string(100'000, 'x'));
  const Result<void> saved = jail.save(state);
  REQUIRE_FALSE(saved);
  CHECK_EQ(saved.error().code(), E2BIG);
  CHECK_EQ(jail.load().error().code(), ENOENT);
}

// --- a full disk

TEST_CASE("state: on a full disk the end is told and the jail removed, but not made") {
  Store s;
  Child child([&] {
    fs::create_directories(s.run(""));
    if (!mount_small_disk(s.run(""), "64k")) return kNoSmallDisk;
    StateStore store(s.store.roots());
    JailDirectory jail = store.create("web").value();
    if (!jail.save(state_of("web"))) return 10;
    JailDirectory other = store.open("web").value();
    std::ofstream(s.run("ballast")) << std::string(1 << 20, 'x');
    JailState changed = state_of("web");
    changed.cgroup = "/other";
    const Result<void> saved = jail.save(changed);
    if (saved || saved.error().code() != ENOSPC) return 11;
    if (saved.error().text() != s.run("web") + ": write state.json") return 12;
    if (fs::exists(s.run("web/state.json.new"))) return 13;
    if (jail.load()->cgroup != state_of("web").cgroup) return 14;
    const Result<JailDirectory> second = store.create("second");
    if (second || second.error().code() != ENOSPC || fs::exists(s.run("second"))) return 15;
    if (!other.save_exit(ended(3)) || jail.load()->exit->code != 3) return 16;
    if (!jail.remove() || !fs::remove(s.run("ballast")) || !fs::is_empty(s.run(""))) return 17;
    return 0;
  });
  const int code = child.wait();
  if (code == kNoSmallDisk)
    std::puts("SKIP: no tmpfs can be mounted here");
  else
    CHECK_EQ(code, 0);
}

// --- ends

TEST_CASE("state: an end that was told is part of the state") {
  Store s;
  JailDirectory jail = s.made("web");
  CHECK_EQ(said(jail.save(state_of("web"))), "");
  CHECK_FALSE(jail.load()->exit);
  const Exit exit{.code = 137,
                  .signal = 9,
                  .reason = EndReason::kOom,
                  .detail = std::string(5000, '\xff'),
                  .at = 42};
  CHECK_EQ(said(jail.save_exit(exit)), "");
  const JailState state = *s.store.open("web")->load();
  REQUIRE(state.exit);
  CHECK_EQ(state.status, Status::kExited);
  CHECK_EQ(state.exit->code, 137);
  CHECK_EQ(state.exit->reason, EndReason::kOom);
  CHECK_EQ(state.exit->at, 42);
  // As much of the detail as the file has room for.
  CHECK(state.exit->detail.size() > 50);
  CHECK(exit.detail.starts_with(state.exit->detail));
}

TEST_CASE("state: a waiter is told the end of a jail that is gone with its record") {
  Store s;
  Pipe saved, waiting;
  Child monitor([&] {
    JailDirectory jail = s.store.create("web").value();
    if (!jail.save(state_of("web"))) return 10;
    saved.signal();
    waiting.wait();
    if (!jail.save_exit(ended(7))) return 11;
    return jail.remove() ? 0 : 12;
  });
  saved.wait();
  JailDirectory jail = s.store.open("web").value();
  const JailState state = *jail.load();
  const Result<Exit> early = wait_for_exit(jail, state, milliseconds{0});
  REQUIRE_FALSE(early);
  CHECK_EQ(early.error().code(), ETIMEDOUT);
  CHECK_EQ(early.error().exit_code(), ExitCode::kTimeLimit);
  Child waiter([&] {
    const Result<Exit> exit = wait_for_exit(jail, state, std::nullopt);
    return exit ? exit->code : 20;
  });
  waiting.signal();
  CHECK_EQ(waiter.wait(), 7);
  CHECK_EQ(monitor.wait(), 0);
  CHECK_FALSE(fs::exists(s.run("web")));
  CHECK_EQ(wait_for_exit(jail, state, std::nullopt)->code, 7);
}

TEST_CASE("state: a monitor that was killed is lost, in this boot and after another") {
  Store s;
  JailDirectory jail = s.made("web");
  Child monitor([] { return ::pause(); });
  JailState state = state_of("web");
  state.monitor = *process_id(monitor.pid());
  CHECK_EQ(said(jail.save(state)), "");
  monitor.kill();
  monitor.wait_for_end();
  const Result<Exit> exit = wait_for_exit(jail, state, std::nullopt);
  REQUIRE_EQ(said(exit), "");
  CHECK_EQ(exit->reason, EndReason::kMonitorLost);
  CHECK_EQ(exit->code, 137);
  state.boot_id = "00000000-0000-0000-0000-000000000000";
  state.monitor = *process_id(::getpid());
  CHECK_EQ(wait_for_exit(jail, state, std::nullopt)->reason, EndReason::kMonitorLost);
}

// --- roots

TEST_CASE("state: the roots follow --root and the user's directories") {
  CHECK_EQ(roots_for("/x").run, "/x/run");
  CHECK_EQ(roots_for("/x").data, "/x/data");
  CHECK_EQ(roots_for("x").run, fs::current_path().string() + "/x/run");
  if (::geteuid() == 0) {
    CHECK_EQ(roots_for("").run, "/run/jaula");
    CHECK_EQ(roots_for("").data, "/var/lib/jaula");
  } else {
    ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    ::unsetenv("XDG_DATA_HOME");
    ::setenv("HOME", "/home/u", 1);
    CHECK_EQ(roots_for("").run, "/run/user/7/jaula");
    CHECK_EQ(roots_for("").data, "/home/u/.local/share/jaula");
  }
}

}  // namespace
}  // namespace jaula::test

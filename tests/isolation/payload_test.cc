// The last step: where the payload starts, which file it is, and what is said when there is none.
#include "isolation/payload.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/isolation/payloads.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using isolation::enter_working_directory;
using isolation::execute;

std::string here() {
  char path[4096];
  return ::getcwd(path, sizeof path) != nullptr ? path : ::strerror(errno);
}

void put_program(const std::string& path, const std::string& bytes, mode_t mode) {
  put_file(path, bytes);
  ::chmod(path.c_str(), mode);
}

// What execute() returns, with its exit code.
std::string refusal(const isolation::Payload& payload) {
  const Error error = execute(payload, {});
  return outcome(error) + std::to_string(static_cast<int>(error.exit_code()));
}

}  // namespace

TEST_CASE("working directory: it is entered, and one that is not there is told with its line") {
  const Scratch scratch;
  fs::create_directory(scratch / "srv");
  put_file(scratch / "file", "");
  const auto seen = inside(0, [&] {
    TestPayload payload({"true"});
    std::string text;
    for (const char* name : {"srv", "missing", "file"}) {
      payload->working_directory = scratch / name;
      text += in_order({outcome(enter_working_directory(*payload)), here(), "\n"});
      payload->directory_origin = "web.yaml:7:5: services.web.working_dir";
    }
    return text;
  });
  const std::string line = "web.yaml:7:5: services.web.working_dir: enter the working directory ";
  const std::string hint = "  make it in the root, or set `working_dir`\n" + (scratch / "srv\n");
  CHECK_EQ(*seen, "fine\n" + (scratch / "srv\n") + line + (scratch / "missing") +
                      ": No such file or directory\n" + hint + line + (scratch / "file") +
                      ": Not a directory\n" + hint);
}

TEST_CASE(
    "working directory: one outside of the root, through a descriptor that leaked, is refused") {
  const Scratch scratch;
  for (const char* directory : {"root/proc", "root/srv", "outside"})
    fs::create_directories(scratch / directory);
  const auto seen = inside(CLONE_NEWNS, [&] {
    const std::string proc = scratch / "root/proc";
    if (::mount("/proc", proc.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0)
      return std::string("no procfs in the root");
    const Fd outside = sys::open((scratch / "outside").c_str(), O_PATH | O_DIRECTORY).value();
    const Fd below = sys::open((scratch / "root/srv").c_str(), O_PATH | O_DIRECTORY).value();
    if (::chroot((scratch / "root").c_str()) < 0 || ::chdir("/") < 0) return std::string("chroot");
    TestPayload payload({"true"});
    std::string text;
    for (const int number : {below.get(), outside.get()}) {
      payload->working_directory = "/proc/self/fd/" + std::to_string(number);
      const Result<void> entered = enter_working_directory(*payload);
      text += entered ? "fine in " + here() + "\n" : std::string(entered.error().text()) + "\n";
    }
    return text + (text.ends_with("the working directory " + payload->working_directory +
                                  " is outside of the root\n")
                       ? "refused"
                       : "taken");
  });
  if (!seen) return;
  CHECK_MESSAGE(seen->starts_with("fine in /srv\n"), *seen);
  CHECK_MESSAGE(seen->ends_with("refused"), *seen);
}

TEST_CASE("payload: it gets its arguments and its environment, and nothing of ours") {
  Pipe pipe;
  ::setenv("JAULA_TEST_OF_OURS", "1", 1);
  Child child([&] {
    ::dup2(pipe.to(), 1);
    const TestPayload payload({"sh", "-c", "echo $0 $1 $GREETING; env", "a  b", "c"}, {"/bin/sh"});
    static_cast<void>(execute(*payload, {}));
    return 1;
  });
  const std::string text = pipe.take_all();
  CHECK_EQ(child.wait(), 0);
  CHECK_MESSAGE(text.starts_with("a b c hello\n"), text);
  CHECK_EQ(text.find("JAULA_TEST_OF_OURS"), std::string::npos);
  ::unsetenv("JAULA_TEST_OF_OURS");
}

TEST_CASE("payload: the first candidate that can be executed is, as execvp(3) does") {
  const Scratch scratch;
  fs::create_directory(scratch / "directory");
  put_file(scratch / "file", "");
  put_program(scratch / "forbidden", "#!/bin/sh\nexit 1\n", 0644);
  put_program(scratch / "good", "#!/bin/sh\nexit 5\n", 0755);
  put_program(scratch / "other", "#!/bin/sh\nexit 6\n", 0755);
  Child child([&] {
    const TestPayload payload({"good"},
                              {scratch / "missing", scratch / "file/below", scratch / "forbidden",
                               scratch / "good", scratch / "other"});
    static_cast<void>(execute(*payload, {}));
    return 1;
  });
  CHECK_EQ(child.wait(), 5);
}

TEST_CASE("payload: what is nowhere is 127, what cannot be executed 126, each with its reason") {
  const Scratch scratch;
  fs::create_directory(scratch / "directory");
  put_program(scratch / "forbidden", "#!/bin/sh\n", 0644);
  put_program(scratch / "text", "exit 0\n", 0755);
  put_program(scratch / "foreign", "#!/nowhere/sh\n", 0755);
  const std::string at = scratch.path() + "/";
  struct Row {
    std::string command;
    std::vector<std::string> candidates;
    std::string said;
  };
  const Row rows[] = {
      {"nothing",
       {at + "a/nothing", at + "b/nothing"},
       "execute nothing: No such file or directory\n  no directory of the jail's PATH has it\n127"},
      {at + "nothing",
       {at + "nothing"},
       "execute " + at + "nothing: No such file or directory\n  it is not in the root\n127"},
      {"text",
       {at + "missing", at + "text"},
       "execute " + at +
           "text: Exec format error\n  wrong architecture, or a script without #!\n126"},
      {"forbidden",
       {at + "forbidden", at + "missing"},
       "execute " + at + "forbidden: Permission denied\n126"},
      {"directory", {at + "directory"}, "execute " + at + "directory: Permission denied\n126"},
      {"foreign",
       {at + "foreign", at + "forbidden"},
       "execute " + at +
           "foreign: No such file or directory\n"
           "  its interpreter or its loader is not in the root\n127"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    TestPayload payload({row.command}, row.candidates);
    CHECK_EQ(refusal(*payload), row.said);
    payload->origin = "web.yaml:3:5: services.web.command";
    CHECK_EQ(refusal(*payload), "web.yaml:3:5: services.web.command: " + row.said);
  }
}

TEST_CASE("payload: with a terminal it takes descriptor 0 as its own, which must be one") {
  const auto seen = inside(0, [] {
    const Fd null = sys::open("/dev/null", O_RDONLY).value();
    ::dup2(null.get(), 0);
    ::setsid();
    TestPayload payload({"/bin/true"});
    payload->terminal = true;
    return refusal(*payload);
  });
  CHECK_EQ(*seen, "take the controlling terminal: Inappropriate ioctl for device\n125");
}

}  // namespace jaula::test

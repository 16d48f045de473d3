// Logs of jails: what is stored is what was written, bounded and counted; what is read is what was
// asked for, while it is being written.
#include "runtime/log_store.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/log_files.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;

struct Log {
  Scratch scratch;
  std::string directory = scratch / "data/web";
  [[nodiscard]] LogWriter writer(LogLimits limits = {}) const {
    Result<LogWriter> opened = LogWriter::open(directory, limits);
    REQUIRE_EQ(said(opened), "");
    return std::move(*opened);
  }
  [[nodiscard]] std::string file(int number) const {
    return directory + "/" + log_file_name(number);
  }
  // All records, the oldest first, without their times.
  [[nodiscard]] std::string stored() const {
    std::string all, lines;
    for (int number = 99; number >= 0; --number) all += file_bytes(file(number));
    for (const std::string_view line : split(all, '\n'))
      if (line.size() > kLogTime) lines.append(line.substr(kLogTime + 1)).append("\n");
    return lines;
  }
};

struct Printed {
  std::string out, err, error;
};
Printed read(const Log& log, const LogQuery& query = {}) {
  Scratch scratch;
  const int out = ::open((scratch / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int err = ::open((scratch / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const Fd out_fd(out);
  const Fd err_fd(err);
  const std::string error = said(read_log(log.directory, query, out, err));
  return {file_bytes(scratch / "out"), file_bytes(scratch / "err"), error};
}

std::string record(int second, const std::string& rest) {
  return rfc3339(std::int64_t{second} * 1'000'000'000) + " " + rest + "\n";
}

// --- writing

TEST_CASE("log: a line on disk has its time, its stream and F") {
  const Log log;
  LogWriter writer = log.writer();
  const std::int64_t before = now_nanoseconds();
  writer.append(Stream::kStdout, "hello\n");
  writer.append(Stream::kStderr, "\n");
  const std::string text = file_bytes(log.file(0));
  const std::vector<std::string_view> lines = split(text, '\n');
  REQUIRE_EQ(lines.size(), 3);
  CHECK_EQ(lines[0].substr(kLogTime), " stdout F hello");
  CHECK_EQ(lines[1].substr(kLogTime), " stderr F ");
  CHECK(lines[0].substr(0, kLogTime) >= rfc3339(before));
  CHECK(lines[1].substr(0, kLogTime) <= rfc3339(now_nanoseconds()));
  CHECK_EQ(fs::status(log.directory).permissions(), fs::perms::owner_all);
}

TEST_CASE("log: lines are put together from pieces, each stream by itself") {
  const Log log;
  LogWriter writer = log.writer();
  for (const char* piece : {"a", "b\nc", "", "d", "\n\ne"}) {
    writer.append(Stream::kStdout, piece);
    writer.append(Stream::kStderr, "x");
  }
  writer.finish();
  CHECK_EQ(log.stored(), "stdout F ab\nstdout F cd\nstdout F \nstdout P e\nstderr P xxxxx\n");
}

TEST_CASE("log: a line longer than the buffer becomes parts and is one line again when read") {
  for (const std::size_t size :
       {kMaxLogText - 1, kMaxLogText, kMaxLogText + 1, 2 * kMaxLogText, 5 * kMaxLogText + 7}) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, size}) {
      const Log log;
      LogWriter writer = log.writer();
      std::string line;
      for (std::size_t i = 0; i < size; ++i) line += static_cast<char>('a' + i % 26);
      const std::string text = line + "\nnext\n";
      for (std::size_t at = 0; at < text.size(); at += piece)
        writer.append(Stream::kStdout, std::string_view(text).substr(at, piece));
      CHECK_EQ(read(log).out, text);
      for (const std::string_view stored : split(file_bytes(log.file(0)), '\n'))
        CHECK(stored.size() < kMaxLogRecord);
      const std::size_t parts = (size - 1) / kMaxLogText;
      CHECK_EQ(split(file_bytes(log.file(0)), '\n').size(), parts + 3);
    }
  }
}

TEST_CASE("log: any bytes come back as they were") {
  const Log log;
  LogWriter writer = log.writer();
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  writer.append(Stream::kStdout, bytes);
  writer.finish();
  CHECK_EQ(read(log).out, bytes);
}

std::string numbered(int first, int last) {
  std::string lines;
  for (int i = first; i < last; ++i) lines += "line " + std::to_string(i) + "\n";
  return lines;
}

TEST_CASE("log: rotation keeps every line until the files are full, and then the last ones") {
  const Log log;
  LogWriter writer = log.writer({.file_size = 4096, .files = 4});
  const std::string all = numbered(0, 200);
  writer.append(Stream::kStdout, all);
  CHECK(fs::exists(log.file(1)));
  CHECK_EQ(read(log).out, all);
  for (int i = 0; i < 50; ++i) writer.append(Stream::kStdout, numbered(200 + i * 20, 220 + i * 20));
  for (int number = 0; number < 4; ++number) CHECK(fs::file_size(log.file(number)) <= 4096);
  for (int number = 1; number < 4; ++number) CHECK(fs::file_size(log.file(number)) > 4000);
  CHECK_FALSE(fs::exists(log.file(4)));
  CHECK_EQ(writer.lost(), 0);
  const std::string kept = read(log).out;
  CHECK(kept.size() > 2000);
  CHECK(numbered(0, 1200).ends_with(kept));
}

TEST_CASE("log: one file alone is replaced when it is full") {
  const Log log;
  LogWriter writer = log.writer({.file_size = 1024, .files = 1});
  for (int i = 0; i < 100; ++i) writer.append(Stream::kStdout, numbered(i, i + 1));
  CHECK(numbered(0, 100).ends_with(read(log).out));
  CHECK_EQ(std::distance(fs::directory_iterator(log.directory), {}), 1);
}

TEST_CASE("log: a later writer goes on, after half a line too") {
  const Log log;
  log.writer().append(Stream::kStdout, "first\n");
  std::ofstream(log.file(0), std::ios::app) << rfc3339(0) << " stdo";
  log.writer().append(Stream::kStdout, "second\n");
  log::set_level(log::Level::kError);
  CHECK_EQ(read(log).out, "first\nsecond\n");
  log::set_level(log::Level::kWarning);
}

// What the jail wrote is what is stored and what is said to be lost.
std::uint64_t told_lost(const std::string& stored) {
  std::uint64_t lost = 0;
  constexpr std::string_view kBegin = "stderr F jaula: ";
  for (const std::string_view line : split(stored, '\n'))
    if (line.starts_with(kBegin) && line.find(" bytes lost: ") != line.npos)
      lost +=
          *parse_decimal(line.substr(kBegin.size(), line.find(' ', kBegin.size()) - kBegin.size()));
  return lost;
}

TEST_CASE("log: a write that fails loses bytes, which are counted and told") {
  const Log log;
  Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    LogWriter writer = log.writer();
    std::size_t written = 0;
    const auto append = [&](const std::string& text) {
      writer.append(Stream::kStdout, text);
      written += text.size();
    };
    append("before\n");
    rlimit limit{.rlim_cur = 3000, .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 20; ++i) append(numbered(i * 10, i * 10 + 10) + "unfinished ");
    append(std::string(3 * kMaxLogText, 'x'));
    if (writer.lost() == 0 || told_lost(log.stored()) != 0) return 10;
    if (!file_bytes(log.file(0)).ends_with("\n")) return 11;
    limit.rlim_cur = RLIM_INFINITY;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    append("after\nlater\n");
    append("still later\n");
    if (told_lost(log.stored()) != writer.lost()) return 12;
    const std::string stored = log.stored();
    if (stored.find("bytes lost: File too large\nstdout F xxx") == stored.npos) return 13;
    return read(log).out.size() + writer.lost() == written ? 0 : 14;
  });
  CHECK_EQ(child.wait(), 0);
}

TEST_CASE("log: a full disk loses bytes, a disk with room again is written on") {
  const Log log;
  Child child([&] {
    fs::create_directories(log.directory);
    if (!mount_small_disk(log.directory, "64k")) return kNoSmallDisk;
    LogWriter writer = log.writer({.file_size = 16384, .files = 3});
    put_file(log.directory + "/ballast", std::string(49'152, 'x'));
    std::size_t written = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string text = numbered(i * 50, i * 50 + 50);
      writer.append(Stream::kStdout, text);
      written += text.size();
    }
    if (writer.lost() == 0) return 10;
    fs::remove(log.directory + "/ballast");
    writer.append(Stream::kStdout, "after\n");
    const std::string stored = log.stored();
    if (stored.find(" bytes lost: No space left on device\nstdout F after\n") == stored.npos)
      return 11;
    if (told_lost(stored) != writer.lost()) return 12;
    return read(log).out.size() + writer.lost() == written + 6 ? 0 : 13;
  });
  const int code = child.wait();
  if (code == kNoSmallDisk)
    std::puts("SKIP: no tmpfs can be mounted here");
  else
    CHECK_EQ(code, 0);
}

// --- reading

TEST_CASE("log: a jail without a log is told from one that was silent") {
  const Log log;
  CHECK_EQ(read(log).error, "there is no log " + log.directory);
  const LogWriter writer = log.writer();
  CHECK_EQ(read(log).error, "");
  CHECK_EQ(read(log).out, "");
}

TEST_CASE("log: the streams go to their descriptors, in order where these are one") {
  const Log log;
  LogWriter writer = log.writer();
  for (int i = 0; i < 3; ++i) {
    writer.append(Stream::kStdout, "out\n");
    writer.append(Stream::kStderr, "err\n");
  }
  CHECK_EQ(read(log).out, "out\nout\nout\n");
  CHECK_EQ(read(log).err, "err\nerr\nerr\n");
  Pipe both;
  const Fd second(::fcntl(both.to(), F_DUPFD_CLOEXEC, 0));
  REQUIRE(read_log(log.directory, {}, both.to(), second.get()));
  CHECK_EQ(both.take(24), "out\nerr\nout\nerr\nout\nerr\n");
}

TEST_CASE("log: the tail is the last lines, wherever they stand") {
  const Log log;
  LogWriter writer = log.writer({.file_size = 100'000, .files = 3});
  const std::string all = numbered(0, 6000);
  writer.append(Stream::kStdout, all);
  REQUIRE(fs::exists(log.file(2)));
  const std::string kept = read(log).out;
  const auto lines = static_cast<int>(split(kept, '\n').size() - 1);
  for (const int tail : {0, 1, 2, 999, 1000, 1500, 2500, 5000, lines - 1, lines, lines + 1, 9999}) {
    CAPTURE(tail);
    const Printed printed = read(log, {.tail = static_cast<std::uint64_t>(tail)});
    CHECK_EQ(printed.out, numbered(6000 - std::min(tail, lines), 6000));
  }
}

TEST_CASE("log: a line in parts is one line of a tail, also when its end has not come") {
  const Log log;
  LogWriter writer = log.writer();
  const std::string huge(5 * kMaxLogText, 'x');
  writer.append(Stream::kStdout, "first\n" + huge + "\nlast\nunfinished");
  writer.finish();
  CHECK_EQ(read(log, {.tail = 1}).out, "unfinished");
  CHECK_EQ(read(log, {.tail = 2}).out, "last\nunfinished");
  CHECK_EQ(read(log, {.tail = 3}).out, huge + "\nlast\nunfinished");
  CHECK_EQ(read(log, {.tail = 4}).out, "first\n" + huge + "\nlast\nunfinished");
}

TEST_CASE("log: since and until are times, both included, and a tail counts between them") {
  const Log log;
  fs::create_directories(log.directory);
  std::string text;
  for (int second = 10; second < 20; ++second)
    text += record(second, "stdout F " + std::to_string(second));
  put_file(log.file(1), text.substr(0, text.size() / 2));
  put_file(log.file(0), text.substr(text.size() / 2));
  constexpr std::int64_t kSecond = 1'000'000'000;
  CHECK_EQ(read(log, {.since = 18 * kSecond}).out, "18\n19\n");
  CHECK_EQ(read(log, {.since = 18 * kSecond + 1}).out, "19\n");
  CHECK_EQ(read(log, {.until = 11 * kSecond}).out, "10\n11\n");
  CHECK_EQ(read(log, {.since = 13 * kSecond, .until = 16 * kSecond}).out, "13\n14\n15\n16\n");
  CHECK_EQ(read(log, {.tail = 2, .until = 16 * kSecond}).out, "15\n16\n");
  CHECK_EQ(read(log, {.tail = 9, .since = 13 * kSecond, .until = 14 * kSecond}).out, "13\n14\n");
  CHECK_EQ(read(log, {.tail = 1, .timestamps = true}).out, "1970-01-01T00:00:19.000000000Z 19\n");
}

TEST_CASE("log: a line in parts has one time stamp") {
  const Log log;
  log.writer().append(Stream::kStdout, std::string(2 * kMaxLogText, 'x') + "\n");
  CHECK_EQ(read(log, {.timestamps = true}).out.size(), kLogTime + 1 + 2 * kMaxLogText + 1);
}

TEST_CASE("log: damaged lines are left out, the others are not") {
  const Log log;
  fs::create_directories(log.directory);
  const std::string wrong[] = {"\n",
                               "garbage\n",
                               record(1, "stdout X tag"),
                               record(1, "stdlog F x"),
                               record(1, "stdout Fx"),
                               "2026-13-99 99:99:99 stdout F x\n",
                               std::string("\0\0\0\n", 4),
                               record(1, "stdout F " + std::string(kMaxLogText + 1, 'x')),
                               record(1, "stdout F " + std::string(300'000, 'x'))};
  std::string text;
  int good = 0;
  for (const std::string& line : wrong)
    text += record(1, "stdout F " + std::to_string(good++)) + line;
  text += record(2, "stdout F last") + record(2, "stdout F torn").substr(0, 40);
  put_file(log.file(0), text);
  log::set_level(log::Level::kError);
  CHECK_EQ(read(log).out, "0\n1\n2\n3\n4\n5\n6\n7\n8\nlast\n");
  CHECK_EQ(read(log, {.tail = 1}).out, "last\n");
  CHECK_EQ(read(log, {.tail = 4}).out, "6\n7\n8\nlast\n");
  CHECK_EQ(read(log, {.tail = 99}).out, "0\n1\n2\n3\n4\n5\n6\n7\n8\nlast\n");
  log::set_level(log::Level::kWarning);
}

TEST_CASE("log: a terminal gets no bytes that drive it") {
  const Log log;
  LogWriter writer = log.writer();
  writer.append(Stream::kStdout, "\x1b[2J\ta\xff\xc2\x9b b\xc3\xa9\n");
  CHECK_EQ(read(log, {.escape_err = true}).out, read(log, {}).out);  // not the terminal
  CHECK_EQ(read(log, {.escape_out = true}).out, "\\x1b[2J\ta\\xff\\xc2\\x9b b\xc3\xa9\n");
}

// --- following

struct Follower {
  Follower(const Log& log, LogQuery query)
      : child([&, query]() mutable {
          query.follow = true;
          return read_log(log.directory, query, out.to(), out.to()) ? 0 : 1;
        }) {}
  Pipe out;
  Child child;
};

TEST_CASE("log: a follower sees each line when it is written, across rotations") {
  const Log log;
  LogWriter writer = log.writer({.file_size = 2000, .files = 3});
  writer.append(Stream::kStdout, "old\nlast\n");
  Child jail([] { return ::pause(); });
  const Fd pidfd = sys::pidfd_open(jail.pid()).value();
  Follower follower(log, {.tail = 1, .end_pidfd = pidfd.get()});
  CHECK_EQ(follower.out.take(5), "last\n");
  for (int i = 0; i < 200; ++i) {
    const std::string line = numbered(i, i + 1);
    writer.append(i % 2 == 0 ? Stream::kStdout : Stream::kStderr, line);
    CHECK_EQ(follower.out.take(line.size()), line);
  }
  CHECK(fs::exists(log.file(2)));
  writer.append(Stream::kStdout, "unfinished");
  writer.finish();
  jail.kill();
  CHECK_EQ(follower.out.take(10), "unfinished");
  CHECK_EQ(follower.child.wait(), 0);
  CHECK_EQ(follower.out.take_all(), "");
}

TEST_CASE("log: a follower reads all that was written before the end") {
  const Log log;
  LogWriter writer = log.writer({.file_size = 200'000, .files = 9});
  Child jail([&] {
    for (int i = 0; i < 100; ++i) writer.append(Stream::kStdout, numbered(i * 100, i * 100 + 100));
    return 0;
  });
  const Fd pidfd = sys::pidfd_open(jail.pid()).value();
  Follower follower(log, {.end_pidfd = pidfd.get()});
  const std::string all = numbered(0, 10'000);
  CHECK_EQ(follower.out.take(all.size()), all);
  CHECK_EQ(follower.child.wait(), 0);
}

TEST_CASE("log: a follower waits for a log that is not there yet") {
  const Log log;
  fs::create_directories(log.directory);
  Child jail([] { return ::pause(); });
  const Fd pidfd = sys::pidfd_open(jail.pid()).value();
  Follower follower(log, {.end_pidfd = pidfd.get()});
  LogWriter writer = log.writer();
  writer.append(Stream::kStdout, "here\n");
  CHECK_EQ(follower.out.take(5), "here\n");
}

TEST_CASE("log: following ends with the log, with the time asked for, and with its reader") {
  const Log log;
  LogWriter writer = log.writer();
  writer.append(Stream::kStdout, "a\n");
  {
    Follower follower(log, {});
    CHECK_EQ(follower.out.take(2), "a\n");
    fs::remove_all(log.directory);
    CHECK_EQ(follower.child.wait(), 0);
  }
  LogWriter next = log.writer();
  next.append(Stream::kStdout, "b\n");
  Follower follower(log, {.until = now_nanoseconds()});
  CHECK_EQ(follower.child.wait(), 0);
  CHECK_EQ(follower.out.take(2), "b\n");
}

}  // namespace
}  // namespace jaula::test

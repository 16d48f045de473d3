// What a process holds open after its descriptors were put in order, as fcntl(2) and fstat(2) say.
#include "isolation/fds.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

using isolation::close_others;
using isolation::put_in_place;

constexpr int kFiles = 6;

// Files named a, b, c … at the descriptors 0, 1, 2 …, and nothing else but those above 1023.
void hold_files(const Scratch& scratch) {
  ::close_range(0, 1023, 0);
  for (int number = 0; number < kFiles; ++number)
    if (::open((scratch / std::string(1, static_cast<char>('a' + number))).c_str(),
               O_RDWR | O_CREAT | O_CLOEXEC, 0600) != number)
      throw number;
}

// "a b c": which file stands at each descriptor; '-' where none does, '!' after one that closes at
// exec.
std::string files_at(const Scratch& scratch, const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) {
    struct stat here {};
    std::string found = "-";
    for (char name = 'a'; ::fstat(number, &here) == 0 && name < 'a' + kFiles; ++name) {
      struct stat file {};
      ::stat((scratch / std::string(1, name)).c_str(), &file);
      if (file.st_ino == here.st_ino && file.st_dev == here.st_dev) found = std::string(1, name);
    }
    if ((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0 && found != "-") found += '!';
    text += (text.empty() ? "" : " ") + found;
  }
  return text;
}

// The open descriptors below 1024.
std::string open_ones() {
  std::string text;
  for (int number = 0; number < 1024; ++number)
    if (::fcntl(number, F_GETFD) >= 0) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

}  // namespace

TEST_CASE("descriptors: 0, 1 and 2 are what was asked for, however they cross, and stay at exec") {
  struct Row {
    isolation::StandardFds asked;
    std::string seen;
  };
  const Row rows[] = {
      {{0, 1, 2}, "a b c"}, {{2, 0, 1}, "c a b"}, {{1, 2, 0}, "b c a"},
      {{1, 0, 2}, "b a c"}, {{3, 4, 5}, "d e f"}, {{5, 0, 3}, "f a d"},
      {{4, 4, 4}, "e e e"}, {{2, 2, 2}, "c c c"}, {{0, 0, 1}, "a a b"},
  };
  const Scratch scratch;
  for (const Row& row : rows) {
    CAPTURE(row.seen);
    const auto seen = inside(0, [&] {
      hold_files(scratch);
      return in_order({said(put_in_place(row.asked)), files_at(scratch, {0, 1, 2})});
    });
    CHECK_EQ(*seen, row.seen);
  }
}

TEST_CASE("descriptors: a standard one may stand high, and it is in its place all the same") {
  const Scratch scratch;
  const auto seen = inside(0, [&] {
    hold_files(scratch);
    ::fcntl(5, F_DUPFD_CLOEXEC, 1000);
    return in_order({said(put_in_place({1000, 1, 1000})), files_at(scratch, {0, 1, 2, 1000})});
  });
  CHECK_EQ(*seen, "f b f f!");
}

TEST_CASE("descriptors: one that is not open is an error, and those in place stay as they were") {
  const Scratch scratch;
  const auto seen = inside(0, [&] {
    hold_files(scratch);
    return in_order({said(put_in_place({2, 0, 77})), "\n", files_at(scratch, {0, 1, 2})});
  });
  CHECK_EQ(*seen, "duplicate a standard descriptor: Bad file descriptor\na! b! c!");
}

TEST_CASE("descriptors: what is not kept is closed from 3 on, wherever it stands") {
  struct Row {
    std::vector<int> keep;
    std::string open;
  };
  const Row rows[] = {
      {{}, "0 1 2"},
      {{3}, "0 1 2 3"},
      {{5, 3}, "0 1 2 3 5"},
      {{1000, 4}, "0 1 2 4 1000"},
      {{4, 4, 4}, "0 1 2 4"},
      {{0, 2}, "0 1 2"},
      {{77}, "0 1 2"},  // which is not open, and is not made
      {{3, 4, 5, 6, 7, 1000, 1001, 900}, "0 1 2 3 4 5 1000 1001"},
  };
  const Scratch scratch;
  for (const Row& row : rows) {
    CAPTURE(row.open);
    const auto seen = inside(0, [&] {
      hold_files(scratch);
      for (const int number : {999, 1000, 1001}) ::dup3(0, number, O_CLOEXEC);
      return in_order({said(close_others(row.keep)), open_ones()});
    });
    CHECK_EQ(*seen, row.open);
  }
}

TEST_CASE("descriptors: what stands above the soft limit is closed, too") {
  const Scratch scratch;
  const auto seen = inside(0, [&] {
    hold_files(scratch);
    ::dup3(0, 500, O_CLOEXEC);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return in_order({said(close_others({})), open_ones()});
  });
  CHECK_EQ(*seen, "0 1 2");
}

TEST_CASE("descriptors: more to keep than there is room for is an error, and nothing is closed") {
  const Scratch scratch;
  const auto seen = inside(0, [&] {
    hold_files(scratch);
    const std::vector<int> many(9, 3);
    return in_order({said(close_others(many)), "\n", open_ones()});
  });
  CHECK_EQ(*seen, "too many descriptors to keep: Invalid argument\n0 1 2 3 4 5");
}

}  // namespace jaula::test

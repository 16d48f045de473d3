// The accounts of a root, as text and as files that mean ill.
#include "runtime/plan/users.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;
using plan::find_user;
using plan::UserDatabase;

const UserDatabase kUsers{.passwd =
                              "root:x:0:0:root:/root:/bin/sh\n"
                              "# a comment\n"
                              "short:x:5\n"
                              "bad:x:12x:1::/:\n"
                              "high:x:4294967295:1::/:\n"
                              ":x:77:77::/nobody:\n"
                              "web:x:33:34:Web:/var/www:/bin/false\n"
                              "web:x:99:99::/second:/bin/false\n"
                              "twin:x:33:44::/twin:\n"
                              "top:x:4294967294:4294967294::/top:\n",
                          .group =
                              "root:x:0:\n"
                              "www:x:34:web,other\n"
                              "media:x:60:other,web\n"
                              "audio:x:50:web\n"
                              "again:x:50:web\n"
                              "no-number:x:y:web\n"
                              "no-members:x:70\n"
                              "webby:x:71:webby\n"
                              "34:x:72:\n"};

// "33:34 groups 34 50 60", or what was wrong.
std::string found(const UserDatabase& users, const std::string& text) {
  const Result<spec::User> user = find_user(users, text);
  if (!user) return said(user);
  std::string line = std::to_string(user->uid) + ":" + std::to_string(user->gid) + " groups";
  for (const std::uint32_t group : user->additional_gids) line += " " + std::to_string(group);
  return line;
}

UserDatabase users_of(const std::string& passwd, const std::string& group = "") {
  return {.passwd = passwd, .group = group};
}

// A root whose /etc is made by the test.
class Root {
 public:
  Root() { fs::create_directories(scratch_ / "root/etc"); }
  [[nodiscard]] std::string etc(const std::string& name) const {
    return scratch_ / "root/etc/" + name;
  }
  [[nodiscard]] std::string outside(const std::string& name) const { return scratch_ / name; }
  [[nodiscard]] Result<UserDatabase> load() const { return plan::load_users(scratch_ / "root"); }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("user: names and numbers are found, with the account's group and groups") {
  const std::pair<std::string, std::string> rows[] = {
      {"root", "0:0 groups 0"},
      {"0", "0:0 groups 0"},
      {"web", "33:34 groups 34 50 60"},
      {"33", "33:34 groups 34 50 60"},  // the first of the two accounts
      {"twin", "33:44 groups 44"},
      {"top", "4294967294:4294967294 groups 4294967294"},
      {"1000", "1000:0 groups 0"},  // a number without an account
      {"4294967294", "4294967294:4294967294 groups 4294967294"},
  };
  for (const auto& [text, user] : rows) {
    CAPTURE(text);
    CHECK_EQ(found(kUsers, text), user);
  }
}

TEST_CASE("user: a group that is named stands alone, and is the first of the set") {
  const std::pair<std::string, std::string> rows[] = {
      {"web:media", "33:60 groups 60"},       {"web:0", "33:0 groups 0"},
      {"1000:1000", "1000:1000 groups 1000"}, {"1000:audio", "1000:50 groups 50"},
      {"web:34", "33:34 groups 34"},  // a number is never a name, though a group has that one
      {"root:no-members", "0:70 groups 70"},
  };
  for (const auto& [text, user] : rows) {
    CAPTURE(text);
    CHECK_EQ(found(kUsers, text), user);
  }
}

TEST_CASE("user: the supplementary groups contain the primary one, once, whatever the file says") {
  const UserDatabase users = users_of("u:x:5:9::/:\n", "nine:x:9:u\nthree:x:3:u\nnine:x:9:u\n");
  CHECK_EQ(found(users, "u"), "5:9 groups 9 3");
}

TEST_CASE("user: what is not there, and a number that is no id, is told as it is") {
  const std::pair<std::string, std::string> rows[] = {
      {"nobody", "there is no user nobody in the /etc/passwd of the root"},
      {"short", "there is no user short in the /etc/passwd of the root"},
      {"bad", "there is no user bad in the /etc/passwd of the root"},
      {"high", "there is no user high in the /etc/passwd of the root"},
      {"web:nogroup", "there is no group nogroup in the /etc/group of the root"},
      {"web:no-number", "there is no group no-number in the /etc/group of the root"},
      {"4294967295", "the user id 4294967295 is above 4294967294"},
      {"99999999999999999999999", "the user id 99999999999999999999999 is above 4294967294"},
      {"0:4294967295", "the group id 4294967295 is above 4294967294"},
      {"web:18446744073709551650", "the group id 18446744073709551650 is above 4294967294"},
  };
  for (const auto& [text, problem] : rows) {
    CAPTURE(text);
    CHECK_EQ(found(kUsers, text), problem);
  }
  CHECK_EQ(find_user(kUsers, "nobody").error().hint_text(),
           "name one that it has, or give a number");
}

TEST_CASE("user: a name cannot match across fields, lines or members") {
  const UserDatabase users = users_of("a:b:1:2::/:\nab:x:3:4::/:", "g:x:8:ab,\nh:x:9: a\n");
  CHECK_EQ(found(users, "a"), "1:2 groups 2");
  CHECK_EQ(found(users, "ab"), "3:4 groups 4 8");  // the last line has no end
  CHECK_EQ(found(users_of("", ""), "0"), "0:0 groups 0");
}

TEST_CASE(
    "user: lines that are too long are passed over, and groups beyond what a process can have") {
  const std::string name(70'000, 'n');
  UserDatabase users = users_of(name + ":x:1:1::/:\nweb:x:33:34::/:\n");
  CHECK_NE(found(users, name).find("there is no user"), std::string::npos);
  CHECK_EQ(found(users, "web"), "33:34 groups 34");
  std::string groups;
  for (int gid = 100'000; gid < 170'000; ++gid) groups += "g:x:" + std::to_string(gid) + ":web\n";
  users.group = groups;
  CHECK_EQ(find_user(users, "web").value().additional_gids.size(), 65'536);  // NGROUPS_MAX
}

TEST_CASE("home: it is the first account's with that id, and there may be none") {
  CHECK_EQ(plan::home_of(kUsers, 33), "/var/www");
  CHECK_EQ(plan::home_of(kUsers, 4294967294), "/top");
  CHECK_FALSE(plan::home_of(kUsers, 77));  // an account without a name is none
  CHECK_FALSE(plan::home_of(kUsers, 1000));
}

TEST_CASE("account files: they are read, links inside the root followed, and may be missing") {
  const Root root;
  CHECK_EQ(said(root.load()), "");
  CHECK_EQ(root.load()->passwd, "");
  put_file(root.etc("real"), "web:x:33:34::/:\n");
  fs::create_symlink("/etc/real", root.etc("passwd"));
  put_file(root.etc("group"), "www:x:34:\n");
  CHECK_EQ(said(root.load()), "");
  CHECK_EQ(root.load()->passwd, "web:x:33:34::/:\n");
  CHECK_EQ(root.load()->group, "www:x:34:\n");
}

TEST_CASE("account files: a link out of the root finds nothing there, and a loop is an error") {
  const Root root;
  put_file(root.outside("passwd"), "root:x:0:0::/:\n");
  for (const std::string& text : {root.outside("passwd"), std::string("../../passwd")}) {
    fs::remove(root.etc("passwd"));
    fs::create_symlink(text, root.etc("passwd"));
    CHECK_EQ(said(root.load()), "");
    CHECK_EQ(root.load()->passwd, "");
  }
  fs::create_symlink("group", root.etc("group"));
  CHECK_EQ(said(root.load()), "open etc/group: Too many levels of symbolic links");
}

TEST_CASE(
    "account files: a FIFO is not waited for, a directory and a file that is too big refused") {
  const Root root;
  REQUIRE_EQ(::mkfifo(root.etc("passwd").c_str(), 0644), 0);
  CHECK_EQ(said(root.load()), "/etc/passwd of the root is not a regular file");
  fs::remove(root.etc("passwd"));
  fs::create_directory(root.etc("passwd"));
  CHECK_EQ(said(root.load()), "/etc/passwd of the root is not a regular file");
  fs::remove(root.etc("passwd"));
  put_file(root.etc("passwd"), std::string(std::size_t{1} << 20, '\n'));
  CHECK_EQ(said(root.load()), "");
  put_file(root.etc("passwd"), std::string((std::size_t{1} << 20) + 1, '\n'));
  CHECK_NE(said(root.load()).find("File too large"), std::string::npos);
  CHECK_NE(said(plan::load_users(root.outside("nowhere"))), "");
}

}  // namespace jaula::test

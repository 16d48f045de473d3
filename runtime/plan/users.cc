#include "runtime/plan/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "isolation/root_path.h"
#include "runtime/base/file.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::plan {
namespace {

constexpr std::uint32_t kMaxId = 4294967294;  // (uid_t)-1 means "leave alone" to the kernel
constexpr std::size_t kMaxLine = std::size_t{64} << 10;
constexpr std::size_t kMaxGroups = 65536;  // NGROUPS_MAX

Result<std::string> load_account_file(int root, const char* path) {
  Result<Fd> place = isolation::open_in_root(root, path, O_PATH);
  if (!place && place.error().code() == ENOENT) return std::string();
  if (!place) return place.error();
  const struct stat info = TRY(sys::fstat(place->get()));
  if (!S_ISREG(info.st_mode)) return Error(0, "/", path, " of the root is not a regular file");
  const Fd file = TRY(isolation::open_in_root(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK));
  return read_fd(file.get(), path);
}

// Calls `take` with the fields of each line that has `count` of them, until it returns true.
template <std::size_t count, class Take>
bool find_line(std::string_view text, Take take) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.size() > kMaxLine) continue;
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() < count) continue;
    std::array<std::string_view, count> first;
    std::copy_n(fields.begin(), count, first.begin());
    if (take(first)) return true;
  }
  return false;
}

struct PasswdEntry {
  std::string_view name, home;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

template <class Matches>
std::optional<PasswdEntry> find_passwd(std::string_view passwd, Matches matches) {
  PasswdEntry entry;
  const bool found = find_line<6>(passwd, [&](const auto& fields) {
    const auto uid = parse_decimal(fields[2], kMaxId);
    const auto gid = parse_decimal(fields[3], kMaxId);
    if (fields[0].empty() || !uid || !gid) return false;
    entry = {fields[0], fields[5], static_cast<std::uint32_t>(*uid),
             static_cast<std::uint32_t>(*gid)};
    return matches(entry);
  });
  return found ? std::optional(entry) : std::nullopt;
}

std::optional<std::uint32_t> group_called(std::string_view group, std::string_view name) {
  std::optional<std::uint32_t> gid;
  find_line<3>(group, [&](const auto& fields) {
    if (fields[0] != name) return false;
    if (const auto number = parse_decimal(fields[2], kMaxId))
      gid = static_cast<std::uint32_t>(*number);
    return gid.has_value();
  });
  return gid;
}

std::vector<std::uint32_t> groups_with_member(std::string_view group, std::string_view user) {
  std::vector<std::uint32_t> gids;
  find_line<4>(group, [&](const auto& fields) {
    const std::vector<std::string_view> members = split(fields[3], ',');
    const auto gid = parse_decimal(fields[2], kMaxId);
    if (gid && std::find(members.begin(), members.end(), user) != members.end())
      gids.push_back(static_cast<std::uint32_t>(*gid));
    return gids.size() >= kMaxGroups - 1;
  });
  return gids;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::uint32_t> number(std::string_view text, std::string_view what) {
  const auto value = parse_decimal(text, mutant("ids in range") ? UINT64_MAX : kMaxId);
  if (!value) return Error(0, what, " ", text, " is above ", kMaxId);
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

Result<UserDatabase> load_users(const std::string& root) {
  const Fd directory = TRY(sys::open(root.c_str(), O_PATH | O_DIRECTORY));
  UserDatabase users;
  users.passwd = TRY(load_account_file(directory.get(), "etc/passwd"));
  users.group = TRY(load_account_file(directory.get(), "etc/group"));
  return users;
}

Result<std::uint32_t> find_group(const UserDatabase& users, std::string_view text) {
  if (is_number(text)) return number(text, "the group id");
  const auto gid = group_called(users.group, text);
  if (!gid) return Error(0, "there is no group ", text, " in the /etc/group of the root");
  return *gid;
}

Result<spec::User> find_user(const UserDatabase& users, std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  spec::User user;
  std::optional<PasswdEntry> entry;
  if (is_number(name) && !mutant("numbers are ids")) {
    user.uid = TRY(number(name, "the user id"));
    entry = find_passwd(users.passwd, [&](const PasswdEntry& e) { return e.uid == user.uid; });
  } else {
    entry = find_passwd(users.passwd, [&](const PasswdEntry& e) { return e.name == name; });
    if (!entry)
      return Error(0, "there is no user ", name, " in the /etc/passwd of the root")
          .hint("name one that it has, or give a number");
    user.uid = entry->uid;
  }
  if (entry) {
    user.gid = entry->gid;
    user.additional_gids = groups_with_member(users.group, entry->name);
  }
  if (colon != std::string_view::npos) {
    // As docker: a group that is named stands alone.
    const std::string_view group = text.substr(colon + 1);
    user.additional_gids.clear();
    user.gid = TRY(find_group(users, group));
  }
  if (mutant("primary group in the set")) return user;
  // CVE-2022-2989, CVE-2022-36109: the primary group belongs to the set.
  auto& groups = user.additional_gids;
  groups.insert(groups.begin(), user.gid);
  std::sort(groups.begin() + 1, groups.end());
  groups.erase(std::unique(groups.begin() + 1, groups.end()), groups.end());
  groups.erase(std::remove(groups.begin() + 1, groups.end(), user.gid), groups.end());
  return user;
}

std::optional<std::string> home_of(const UserDatabase& users, std::uint32_t uid) {
  const auto entry = find_passwd(users.passwd, [&](const PasswdEntry& e) { return e.uid == uid; });
  if (!entry) return std::nullopt;
  return std::string(entry->home);
}

}  // namespace jaula::plan

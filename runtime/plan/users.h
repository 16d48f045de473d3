// The accounts of a jail's root, read from its own /etc/passwd and /etc/group by a bounded parser:
// no NSS, nothing of the jail is loaded. Parent side. passwd(5), group(5), CVE-2019-14271
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct UserDatabase {
  std::string passwd;  // the files' bytes; empty where there is none
  std::string group;
};

// The database of a root directory; regular files of at most 1 MiB, links followed inside the root.
Result<UserDatabase> load_users(const std::string& root);

// NAME|UID[:GROUP|GID] in the words of the database. A number is never looked up as a name; a
// number that has an account gets the account's group and groups.
Result<spec::User> find_user(const UserDatabase& users, std::string_view text);

// NAME|GID, likewise.
Result<std::uint32_t> find_group(const UserDatabase& users, std::string_view text);

// The account's home directory, for HOME.
std::optional<std::string> home_of(const UserDatabase& users, std::uint32_t uid);

}  // namespace jaula::plan

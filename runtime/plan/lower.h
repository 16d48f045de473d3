// ServiceSpec -> JailConfig: the one place where defaults are filled in. Parent side.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/users.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct Lowered {
  spec::JailConfig config;
  std::vector<Error> problems;  // not empty: the config must not be used
};

// `users` are the accounts of the jail's root, for `user:` by name.
Lowered to_jail_config(const spec::ServiceSpec& service, const std::string& name,
                       const UserDatabase& users);

// Makes `user` the one the process runs as: ids, groups, the capabilities that go with them, HOME.
// For `exec -u`, where the rest of the jail's configuration stays as it is.
void set_user(spec::JailConfig& config, const spec::User& user, const UserDatabase& users);

}  // namespace jaula::plan

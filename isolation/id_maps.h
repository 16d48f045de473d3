// The maps of the jail's user namespace. Runs outside. user_namespaces(7), newuidmap(1)
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct IdMaps {
  std::string uid_map;  // text of /proc/PID/uid_map; empty: no user namespace is made
  std::string gid_map;
  bool deny_setgroups = false;  // the kernel demands it of a gid map written without CAP_SETGID
  // Set when the maps go through the setuid helpers of shadow-utils, which check /etc/subuid.
  bool use_helpers = false;
  std::string origin = {};  // where the spec asks for them
};

// Of shadow-utils: set-user-ID, they hold the maps against /etc/subuid and /etc/subgid.
inline constexpr const char* kIdMapHelpers[] = {"/usr/bin/newuidmap", "/usr/bin/newgidmap"};

// Writes the maps of `child`'s new user namespace, once: EPERM the second time, and for ids that
// are not this user's to give. With the helpers their refusal is the error.
Result<void> write_for(pid_t child, const IdMaps& maps) noexcept;

}  // namespace jaula::isolation

// Who the payload is and what it may do: ids, groups, the five capability sets, no_new_privs. Runs
// inside, after the root is entered. credentials(7), capabilities(7), CVE-2022-29162
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, with the primary one
  std::string groups_origin;  // where the spec adds to them
  bool set_groups = true;     // false where the user namespace denies setgroups
  mode_t umask = 0022;
  // Bit n is capability n. Inheritable is empty (CVE-2022-24769) but for what is ambient, which
  // the kernel demands.
  std::uint64_t bounding = 0;
  std::uint64_t permitted = 0;  // and effective
  std::uint64_t ambient = 0;
  bool no_new_privs = true;
};

// Becomes root of the user namespace that was just mapped, so that what is made next belongs to
// it. `uid`, `gid`: the ids inside that the maps have.
Result<void> become_namespace_root(uid_t uid, gid_t gid, bool set_groups) noexcept;

// Groups, ids, capabilities, no_new_privs, in the order that the kernel needs. EPERM, EINVAL: an id
// that the namespace does not map.
Result<void> apply(const Credentials& credentials) noexcept;

}  // namespace jaula::isolation

#include "isolation/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// The raw calls: glibc's wrappers signal every thread, and take locks for it.
Result<void> set_groups(const gid_t* groups, std::size_t count) noexcept {
  if (::syscall(SYS_setgroups, count, groups) < 0) return Error(errno, "set supplementary groups");
  return {};
}

Error refused(int reason, const char* what, std::uint32_t id) noexcept {
  Error error(reason, what, id);
  if (reason == EINVAL)
    error.hint("that id is not mapped into the jail: see its map in `jaula plan`");
  return error;
}

Error groups_refused(Error error, const std::string& origin) noexcept {
  if (!origin.empty()) error.in(origin, ": ");
  if (error.code() == EINVAL)
    error.hint("one of them is not mapped into the jail: see its map in `jaula plan`");
  return error;
}

Result<void> set_ids(uid_t uid, gid_t gid) noexcept {
  if (::syscall(SYS_setresgid, gid, gid, gid) < 0) return refused(errno, "become group ", gid);
  if (::syscall(SYS_setresuid, uid, uid, uid) < 0) return refused(errno, "become user ", uid);
  return {};
}

Result<void> drop_bounding(std::uint64_t keep) noexcept {
  for (int capability = 0; capability < 64; ++capability) {
    if ((keep >> capability & 1) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) < 0) {
      if (errno == EINVAL) return {};  // beyond the last one that this kernel has
      return Error(errno, "drop capability ", capability, " from the bounding set");
    }
  }
  return {};
}

Result<void> set_capabilities(std::uint64_t permitted, std::uint64_t inheritable) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2];
  for (unsigned half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(permitted >> (32 * half));
    data[half] = {.effective = bits,
                  .permitted = bits,
                  .inheritable = static_cast<std::uint32_t>(inheritable >> (32 * half))};
  }
  if (::syscall(SYS_capset, &header, data) < 0) return Error(errno, "set capabilities");
  return {};
}

Result<void> raise_ambient(std::uint64_t ambient) noexcept {
  for (int capability = 0; capability < 64; ++capability)
    if ((ambient >> capability & 1) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0UL, 0UL) < 0)
      return Error(errno, "raise ambient capability ", capability);
  return {};
}

}  // namespace

Result<void> become_namespace_root(uid_t uid, gid_t gid, bool may_set_groups) noexcept {
  if (may_set_groups) TRY(set_groups(nullptr, 0));
  return set_ids(uid, gid);
}

Result<void> apply(const Credentials& credentials) noexcept {
  ::umask(credentials.umask);
  // The bounding set first: dropping from it needs CAP_SETPCAP, which goes with the ids.
  TRY(drop_bounding(credentials.bounding));
  if (credentials.set_groups && !mutant("groups of the jail")) {
    Result<void> set = set_groups(credentials.groups.data(), credentials.groups.size());
    if (!set) return groups_refused(set.error(), credentials.groups_origin);
  }
  TRY(sys::prctl(PR_SET_KEEPCAPS, 1, "PR_SET_KEEPCAPS"));
  TRY(set_ids(credentials.uid, credentials.gid));
  // An ambient capability must be inheritable when it is raised (capabilities(7)).
  TRY(set_capabilities(credentials.permitted, mutant("nothing inheritable") ? credentials.permitted
                                                                            : credentials.ambient));
  TRY(raise_ambient(credentials.ambient));
  if (credentials.no_new_privs) TRY(sys::prctl(PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS"));
  return {};
}

}  // namespace jaula::isolation

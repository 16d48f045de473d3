// What a jail's processes may reach by rules that none of them can take back: files, TCP ports,
// signals. A wall of its own, behind mounts, ids and the filter. Runs inside, after the root is
// entered. landlock(7)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

// linux/landlock.h of Linux 6.15 (ABI 7); the header of Debian 12 ends with ABI 2.
enum FileRight : std::uint64_t {
  kExecuteFile = 1U << 0,
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadDirectory = 1U << 3,
  kRemoveDirectory = 1U << 4,
  kRemoveFile = 1U << 5,
  kMakeCharacterDevice = 1U << 6,
  kMakeDirectory = 1U << 7,
  kMakeFile = 1U << 8,
  kMakeSocket = 1U << 9,
  kMakeFifo = 1U << 10,
  kMakeBlockDevice = 1U << 11,
  kMakeLink = 1U << 12,
  kRefer = 1U << 13,         // ABI 2: links and renames across directories
  kTruncate = 1U << 14,      // ABI 3
  kControlDevice = 1U << 15  // ABI 5: ioctl(2)
};
enum TcpRight : std::uint64_t { kBindTcp = 1U << 0, kConnectTcp = 1U << 1 };        // ABI 4
enum Scope : std::uint64_t { kAbstractUnixSockets = 1U << 0, kSignals = 1U << 1 };  // ABI 6
// ABI 7: what domains that a process of the jail makes are refused is not in the audit log.
inline constexpr std::uint32_t kNoAuditOfSubdomains = 1U << 2;

struct PathRule {
  std::string path;  // in the jail; what is below it, too
  std::uint64_t rights = 0;
  std::string origin = {};
};

struct PortRule {
  std::uint64_t port = 0;
  std::uint64_t rights = 0;
};

struct Landlock {
  // Rights that nobody has but where a rule gives them. All 0: no domain is made.
  std::uint64_t files = 0;
  std::uint64_t tcp = 0;
  std::uint64_t scopes = 0;  // what of it goes to processes of the same domain alone
  std::uint32_t flags = 0;
  std::vector<PathRule> paths = {};
  std::vector<PortRule> ports = {};
  bool skip_missing = false;  // a path that is not there gives nothing
};

// What this kernel can do, 1 and up. ENOSYS: not built; EOPNOTSUPP: switched off. Outside, too.
Result<int> landlock_abi() noexcept;

// Without no_new_privs the kernel wants CAP_SYS_ADMIN for it. An error about a path has its index.
Result<void> apply(const Landlock& landlock) noexcept;

}  // namespace jaula::isolation

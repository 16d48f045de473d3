// The channel between the parent and the process it clones: a SEQPACKET pair, both ends CLOEXEC.
//
//   parent                                child
//     clone3 ────────────────────────────▶  new session, waits
//     id maps, mapped mounts, rlimits
//     ───────────────── go + descriptors ▶  steps of child.cc
//     ◀────────────── terminal + its pty    (when the spec asks for one)
//     ◀────────────────────────── pid       (exec only: the process that stays)
//     ◀──────────────────────── failed      (an Error; the child then exits)
//     ◀───────────────────── executing      every step is done but the last
//     ◀─────────────────────────── EOF      execve closed the child's end: the payload runs
//
// EOF without `executing` means that the child died on the way; the parent says how.
// Both sides of the fork: nothing here allocates. unix(7)
#pragma once

#include <span>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula {

inline constexpr std::size_t kMaxPassedFds = 250;  // isolation::kMaxOutsideTrees

struct SyncMessage {
  enum class Kind : std::uint32_t {
    kEof,
    kGo,
    kTerminal,
    kPid,
    kFailed,
    kExecuting
  } kind = Kind::kEof;
  std::int32_t pid = 0;
  Error error = Error(0);
};

struct SyncPair {
  Fd parent, child;
};
Result<SyncPair> make_sync_pair() noexcept;

Result<void> send_message(int socket, const SyncMessage& message,
                          std::span<const int> fds) noexcept;
// Takes one message; at most fds.size() descriptors come with it, the others are an error.
Result<SyncMessage> receive_message(int socket, std::span<Fd> fds) noexcept;

}  // namespace jaula

// The channel between the parent and the process it clones: a SEQPACKET pair, both ends CLOEXEC.
//
//   parent                                child
//     clone3 ────────────────────────────▶  steps of child.cc that need no mapped ids
//     ids, id maps, mapped trees, rlimits
//     ─────────────────────────────── go ▶  the other steps
//     ◀────────────── terminal + its pty    (when the spec asks for one)
//     ◀────────────────────────── pid       (exec only: the process that stays)
//     ◀──────────────────────── failed      (an Error; the child then exits)
//     ◀───────────────────── executing      every step is done but the last; with the listener of
//                                           a filter that reports
//     ◀────────── listener + the filter's   (a spec's own filter goes in right before execve)
//     ◀─────────────────────────── EOF      execve closed the child's end: the payload runs
//
// EOF without `executing` means that the child died on the way; the parent says how.
// Both sides of the fork: nothing here allocates. unix(7)
#pragma once

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula {

struct SyncMessage {
  enum class Kind : std::uint32_t {
    kEof,
    kGo,
    kTerminal,
    kPid,
    kFailed,
    kExecuting,
    kListener
  } kind = Kind::kEof;
  std::int32_t pid = 0;
  Error error = Error(0);
};

struct SyncPair {
  Fd parent, child;
};
Result<SyncPair> make_sync_pair() noexcept;

// A descriptor goes with it unless `fd` is -1.
Result<void> send_message(int socket, const SyncMessage& message, int fd = -1) noexcept;
// Takes one message, and the descriptor that comes with it if `fd` is given.
Result<SyncMessage> receive_message(int socket, Fd* fd = nullptr) noexcept;

}  // namespace jaula

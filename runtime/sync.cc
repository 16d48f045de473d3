#include "runtime/sync.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace jaula {
namespace {

constexpr std::size_t kControlSize = CMSG_SPACE(kMaxPassedFds * sizeof(int));

}  // namespace

Result<SyncPair> make_sync_pair() noexcept {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return Error(errno, "make a socket pair");
  return SyncPair{Fd(pair[0]), Fd(pair[1])};
}

Result<void> send_message(int socket, const SyncMessage& message,
                          std::span<const int> fds) noexcept {
  if (fds.size() > kMaxPassedFds) return Error(E2BIG, "pass ", fds.size(), " descriptors");
  iovec bytes{const_cast<SyncMessage*>(&message), sizeof message};  // NOLINT: sendmsg only reads
  alignas(cmsghdr) char control[kControlSize];
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  ssize_t sent;
  do sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return Error(errno, "send to the process across the fork");
  return {};
}

Result<SyncMessage> receive_message(int socket, std::span<Fd> fds) noexcept {
  SyncMessage message;
  iovec bytes{&message, sizeof message};
  alignas(cmsghdr) char control[kControlSize];
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = CMSG_SPACE(std::min(fds.size(), kMaxPassedFds) * sizeof(int));
  ssize_t got;
  do got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  // A peer that died with unread bytes in its queue shows as ECONNRESET: the same as EOF.
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return SyncMessage{};
  if (got < 0) return Error(errno, "receive across the fork");
  if (static_cast<std::size_t>(got) != sizeof message)
    return Error(EBADMSG, "receive across the fork");
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count && i < fds.size(); ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      fds[i] = Fd(number);
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) return Error(EMFILE, "receive descriptors");
  return message;
}

}  // namespace jaula

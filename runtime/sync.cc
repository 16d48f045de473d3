#include "runtime/sync.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>

namespace jaula {
namespace {

constexpr std::size_t kControlSize = CMSG_SPACE(sizeof(int));

}  // namespace

Result<SyncPair> make_sync_pair() noexcept {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return Error(errno, "make a socket pair");
  return SyncPair{Fd(pair[0]), Fd(pair[1])};
}

Result<void> send_message(int socket, const SyncMessage& message, int fd) noexcept {
  iovec bytes{const_cast<SyncMessage*>(&message), sizeof message};  // NOLINT: sendmsg only reads
  alignas(cmsghdr) char control[kControlSize] = {};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  ssize_t sent;
  do sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return Error(errno, "send to the process across the fork");
  return {};
}

Result<SyncMessage> receive_message(int socket, Fd* fd) noexcept {
  SyncMessage message;
  iovec bytes{&message, sizeof message};
  alignas(cmsghdr) char control[kControlSize];
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = fd == nullptr ? 0 : sizeof control;
  ssize_t got;
  // A peer that died with unread bytes in its queue shows as ECONNRESET, once; what it has sent
  // before comes after that.
  do got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got == 0) return SyncMessage{};
  if (got < 0) return Error(errno, "receive across the fork");
  if (static_cast<std::size_t>(got) != sizeof message)
    return Error(EBADMSG, "receive across the fork");
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(rights), sizeof number);
    *fd = Fd(number);
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) return Error(EMFILE, "receive a descriptor");
  return message;
}

}  // namespace jaula

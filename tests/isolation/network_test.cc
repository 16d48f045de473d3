// The loopback of a network namespace: down at its birth, up and reachable after.
#include "isolation/network.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

std::string state_of_lo() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) return ::strerror(errno);
  return (request.ifr_flags & IFF_UP) != 0 ? "up" : "down";
}

// "heard" when a datagram that is sent to this address arrives.
std::string talk(const char* address) {
  const Fd ear(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Fd mouth(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = ::inet_addr(address);
  auto* where = reinterpret_cast<sockaddr*>(&place);
  socklen_t size = sizeof place;
  if (::bind(ear.get(), where, size) < 0 || ::getsockname(ear.get(), where, &size) < 0)
    return ::strerror(errno);
  if (::sendto(mouth.get(), "x", 1, 0, where, size) != 1) return ::strerror(errno);
  char byte = 0;
  return ::recv(ear.get(), &byte, 1, 0) == 1 && byte == 'x' ? "heard" : "not heard";
}

}  // namespace

TEST_CASE("network: lo is down in a new namespace, then up, and what is sent to it arrives") {
  const auto seen = inside(CLONE_NEWNET, [] {
    std::string text = in_order({state_of_lo(), ", ", talk("127.0.0.1"), "\n"});
    text += outcome(isolation::bring_loopback_up());
    text += in_order({state_of_lo(), ", ", talk("127.0.0.1"), ", ", talk("127.1.2.3"), "\n"});
    // And it is all that there is.
    for (unsigned index = 1; index < 64; ++index) {
      char name[IF_NAMESIZE] = "";
      const bool other = ::if_indextoname(index, name) != nullptr && std::string(name) != "lo";
      const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      ifreq request{};
      std::string_view(name).copy(request.ifr_name, IF_NAMESIZE - 1);
      if (other && ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 &&
          (request.ifr_flags & IFF_UP) != 0)
        text += std::string(name) + " is up, too\n";
    }
    return text;
  });
  if (!seen) return;
  CHECK_EQ(*seen, "down, Network is unreachable\nfine\nup, heard, heard\n");
}

TEST_CASE("network: without CAP_NET_ADMIN the kernel refuses, and that is said") {
  const auto seen = inside(CLONE_NEWNET, [] {
    drop_capabilities();
    return in_order({outcome(isolation::bring_loopback_up()), state_of_lo()});
  });
  if (!seen) return;
  CHECK_EQ(*seen, "set lo up: Operation not permitted\ndown");
}

}  // namespace jaula::test

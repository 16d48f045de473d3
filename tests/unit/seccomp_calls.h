// Calls to put to a compiled filter, and its answers in words. Tests only.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/bpf_evaluator.h"

namespace jaula::test {

using Filter = std::vector<sock_filter>;
using Arguments = std::array<std::uint64_t, 4>;

struct ArgumentCase {
  std::string_view call;
  std::string_view text;
  Arguments arguments;
};

inline constexpr std::uint32_t kNumbers = 512;  // well above the last call there is
inline constexpr std::uint32_t kX32 = 0x40000000;
inline constexpr std::uint64_t kBit32 = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kUpperHalf = ~std::uint64_t{UINT32_MAX};

// clang-format off
inline constexpr auto kArgumentCases = std::to_array<ArgumentCase>({
    {"ioctl", "TCGETS", {1, TCGETS}},
    {"ioctl", "FIONREAD", {1, FIONREAD}},
    {"ioctl", "TIOCSCTTY", {1, TIOCSCTTY}},
    {"ioctl", "TCGETS on descriptor 0x5412", {TIOCSTI, TCGETS, TIOCSTI}},
    {"ioctl", "TIOCSTI", {1, TIOCSTI}},
    {"ioctl", "TIOCSTI | 1 << 32", {1, TIOCSTI | kBit32}},
    {"ioctl", "TIOCSTI | upper half", {1, TIOCSTI | kUpperHalf}},
    {"ioctl", "TIOCSTI | 1 << 31", {1, TIOCSTI | (kBit32 >> 1)}},
    {"ioctl", "TIOCLINUX", {1, TIOCLINUX}},
    {"ioctl", "TIOCLINUX | 1 << 32", {1, TIOCLINUX | kBit32}},
    {"ioctl", "TIOCSETD", {1, TIOCSETD}},
    {"ioctl", "TIOCSETD | upper half", {1, TIOCSETD | kUpperHalf}},

    {"clone", "SIGCHLD", {SIGCHLD}},
    {"clone", "a thread", {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                           CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                           CLONE_CHILD_CLEARTID}},
    {"clone", "VM | VFORK | SIGCHLD", {CLONE_VM | CLONE_VFORK | SIGCHLD}},
    {"clone", "NEWNS", {CLONE_NEWNS | SIGCHLD}},
    {"clone", "NEWCGROUP", {CLONE_NEWCGROUP | SIGCHLD}},
    {"clone", "NEWUTS", {CLONE_NEWUTS | SIGCHLD}},
    {"clone", "NEWIPC", {CLONE_NEWIPC | SIGCHLD}},
    {"clone", "NEWUSER", {CLONE_NEWUSER | SIGCHLD}},
    {"clone", "NEWPID", {CLONE_NEWPID | SIGCHLD}},
    {"clone", "NEWNET", {CLONE_NEWNET | SIGCHLD}},
    {"clone", "NEWUSER | upper half", {CLONE_NEWUSER | SIGCHLD | kUpperHalf}},
    {"clone", "NEWTIME, an exit signal here", {0x80}},
    {"clone", "SIGCHLD | upper half", {SIGCHLD | kUpperHalf}},
    {"clone", "SIGCHLD, NEWUSER as stack", {SIGCHLD, CLONE_NEWUSER, CLONE_NEWUSER}},

    {"socket", "UNIX", {AF_UNIX, SOCK_STREAM}},
    {"socket", "UNIX | 1 << 32", {AF_UNIX | kBit32, SOCK_STREAM}},
    {"socket", "INET STREAM", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK}},
    {"socket", "INET RAW", {AF_INET, SOCK_RAW, 1}},
    {"socket", "INET PACKET", {AF_INET, SOCK_PACKET}},
    {"socket", "INET PACKET | CLOEXEC | 1 << 32", {AF_INET, SOCK_PACKET | SOCK_CLOEXEC | kBit32}},
    {"socket", "INET6", {AF_INET6, SOCK_DGRAM}},
    {"socket", "NETLINK ROUTE", {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}},
    {"socket", "NETLINK ROUTE | 1 << 32", {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE | kBit32}},
    {"socket", "NETLINK SOCK_DIAG", {AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG}},
    {"socket", "NETLINK AUDIT", {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}},
    {"socket", "NETLINK NETFILTER", {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
    {"socket", "NETLINK GENERIC", {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
    {"socket", "PACKET", {AF_PACKET, SOCK_RAW}},
    {"socket", "UNSPEC", {AF_UNSPEC, SOCK_STREAM}},
    {"socket", "KEY", {AF_KEY, SOCK_RAW, 2}},
    {"socket", "CAN", {AF_CAN, SOCK_RAW, 1}},
    {"socket", "TIPC", {AF_TIPC, SOCK_STREAM}},
    {"socket", "BLUETOOTH", {AF_BLUETOOTH, SOCK_RAW, 1}},
    {"socket", "ALG", {AF_ALG, SOCK_SEQPACKET}},
    {"socket", "VSOCK", {AF_VSOCK, SOCK_STREAM}},
    {"socket", "VSOCK | upper half", {AF_VSOCK | kUpperHalf, SOCK_STREAM}},
    {"socket", "XDP", {AF_XDP, SOCK_RAW}},

    {"socketpair", "UNIX", {AF_UNIX, SOCK_SEQPACKET}},
    {"socketpair", "INET STREAM", {AF_INET, SOCK_STREAM}},
    {"socketpair", "INET PACKET", {AF_INET, SOCK_PACKET}},
    {"socketpair", "INET6", {AF_INET6, SOCK_DGRAM}},
    {"socketpair", "TIPC", {AF_TIPC, SOCK_STREAM}},
    {"socketpair", "PACKET", {AF_PACKET, SOCK_RAW}},
    {"socketpair", "NETLINK ROUTE", {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}},
    {"socketpair", "NETLINK GENERIC", {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},

    {"personality", "LINUX", {PER_LINUX}},
    {"personality", "LINUX | 1 << 32", {PER_LINUX | kBit32}},
    {"personality", "query", {0xffffffff}},
    {"personality", "query as a long", {~std::uint64_t{0}}},
    {"personality", "LINUX32", {PER_LINUX32}},
    {"personality", "UNAME26", {UNAME26}},
    {"personality", "LINUX32 | UNAME26", {0x20008}},
    {"personality", "ADDR_NO_RANDOMIZE", {ADDR_NO_RANDOMIZE}},
    {"personality", "ADDR_NO_RANDOMIZE | 1 << 32", {ADDR_NO_RANDOMIZE | kBit32}},
    {"personality", "READ_IMPLIES_EXEC", {READ_IMPLIES_EXEC}},
    {"personality", "MMAP_PAGE_ZERO", {MMAP_PAGE_ZERO}},
});
// clang-format on

seccomp_data call_of(std::uint32_t number, Arguments arguments = {},
                     std::uint32_t architecture = AUDIT_ARCH_X86_64);

// The call with no arguments and with those of its cases.
std::vector<seccomp_data> calls_of(std::uint32_t number);

// "allow" or the errno's name; what is wrong with the filter if the kernel would refuse it.
std::string answer(const Filter& filter, const seccomp_data& call);
std::string answer(const Filter& filter, std::string_view name, Arguments arguments = {});

// All answers to a number, with the arguments of every case there is.
std::set<std::string> answers(const Filter& filter, std::uint32_t number,
                              std::uint32_t architecture = AUDIT_ARCH_X86_64);

}  // namespace jaula::test

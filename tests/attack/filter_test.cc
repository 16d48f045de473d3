// Rule: what the filter refuses is not reached. Each call is made in a jail, with arguments that
// the kernel itself answers in another way: without the filter, which is the control, it gets
// there.
#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

struct Row {
  const char* what;  // and the CVE ids of those who reached the code by it
  Words words;
  const char* answer;  // of the filter
};

void try_all(const std::vector<Row>& rows, const Words& options = {}) {
  const Ground ground;
  for (const Row& row : rows) {
    Attack attack(std::string("filter: ") + row.what);
    Ran ran = ground.attack(row.words, options);
    attack.held(ran.out == std::string(row.answer) + "\n", ran.out + ran.err);
    ran = ground.attack(row.words, {"--seccomp", "unconfined", "--nesting", "1"});
    attack.control(ran.code == 0 && ran.out != std::string(row.answer) + "\n", ran.out + ran.err);
  }
}

}  // namespace

TEST_CASE("filter: no namespace is made, and nothing is reached that needs one of one's own") {
  try_all({
      {"unshare of a user namespace CVE-2013-1959 CVE-2014-4014 CVE-2018-18955",
       {"call", "unshare"},
       "EPERM"},
      {"clone of one CVE-2013-1858", {"call", "clone"}, "EPERM"},
      {"clone3 of one, whose flags no filter sees", {"call", "clone3"}, "ENOSYS"},
      {"fsopen in one CVE-2022-0185", {"call", "fsopen"}, "EPERM"},
      {"a mount in one CVE-2013-1957 CVE-2014-5206 CVE-2014-5207 CVE-2021-33909",
       {"call", "tmpfs"},
       "EPERM"},
      {"overlayfs in one CVE-2015-1328 CVE-2015-8660 CVE-2016-1576 CVE-2021-3493 CVE-2023-0386",
       {"call", "overlay"},
       "EPERM"},
      {"cgroupfs in one CVE-2022-0492", {"call", "cgroup"}, "EPERM"},
      {"nf_tables in one CVE-2022-1015 CVE-2022-25636 CVE-2022-32250 CVE-2022-34918 CVE-2023-32233 "
       "CVE-2024-1086",
       {"call", "netfilter"},
       "EPROTONOSUPPORT"},
      {"ip_tables by a raw socket in one CVE-2016-3134 CVE-2016-4997 CVE-2021-22555",
       {"call", "raw"},
       "EPERM"},
      {"packet sockets in one CVE-2016-8655 CVE-2017-7308 CVE-2020-14386",
       {"call", "packet"},
       "EAFNOSUPPORT"},
  });
}

// A type of socket that no family has is EINVAL, before the kernel asks whether it has the family:
// so the control tells the filter from a kernel without TIPC. Netlink looks at the type first, too.
TEST_CASE("filter: the families of sockets are four") {
  const std::vector<Row> rows = {
      {"AF_AX25", {"socket", "3", "15"}, "EAFNOSUPPORT"},
      {"AF_X25 CVE-2020-35519", {"socket", "9", "15"}, "EAFNOSUPPORT"},
      {"AF_KEY", {"socket", "15", "15"}, "EAFNOSUPPORT"},
      {"AF_RDS CVE-2010-3904", {"socket", "21", "15"}, "EAFNOSUPPORT"},
      {"AF_LLC", {"socket", "26", "15"}, "EAFNOSUPPORT"},
      {"AF_CAN CVE-2010-2959 CVE-2021-3609", {"socket", "29", "15"}, "EAFNOSUPPORT"},
      {"AF_TIPC CVE-2021-43267 CVE-2022-0435", {"socket", "30", "15"}, "EAFNOSUPPORT"},
      {"AF_BLUETOOTH CVE-2021-3640", {"socket", "31", "15"}, "EAFNOSUPPORT"},
      {"AF_RXRPC", {"socket", "33", "15"}, "EAFNOSUPPORT"},
      {"AF_ALG CVE-2019-8912", {"socket", "38", "15"}, "EAFNOSUPPORT"},
      {"AF_NFC CVE-2021-23134", {"socket", "39", "15"}, "EAFNOSUPPORT"},
      {"AF_VSOCK CVE-2021-26708", {"socket", "40", "15"}, "EAFNOSUPPORT"},
      {"NETLINK_XFRM CVE-2017-7184 CVE-2022-27666", {"socket", "16", "1", "6"}, "EPROTONOSUPPORT"},
      {"AF_INET with SOCK_PACKET", {"socket", "2", "10"}, "EAFNOSUPPORT"},
  };
  try_all(rows);
}

TEST_CASE("filter: parts of the kernel that a service does not need are not there") {
  try_all({
      {"bpf CVE-2016-2383 CVE-2016-4557 CVE-2017-16995 CVE-2020-8835 CVE-2021-3490 CVE-2022-23222",
       {"call", "bpf"},
       "EPERM"},
      {"io_uring CVE-2021-41073 CVE-2022-2602 CVE-2022-29582 CVE-2024-0582",
       {"call", "io_uring"},
       "EPERM"},
      {"keyctl CVE-2014-9529 CVE-2016-0728", {"call", "keyctl"}, "EPERM"},
      {"ptrace CVE-2014-4699 CVE-2019-13272", {"call", "ptrace"}, "EPERM"},
      {"process_vm_readv", {"call", "vm-read"}, "EPERM"},
      {"perf_event_open CVE-2013-2094", {"call", "perf"}, "EPERM"},
      {"userfaultfd CVE-2018-18397", {"call", "userfaultfd"}, "EPERM"},
      {"name_to_handle_at, for open_by_handle_at CVE-2014-3519", {"call", "handle"}, "EPERM"},
      {"modify_ldt CVE-2015-3290 CVE-2015-5157 CVE-2017-17053", {"call", "modify_ldt"}, "EPERM"},
      {"vmsplice CVE-2008-0600 CVE-2020-29374", {"call", "vmsplice"}, "EPERM"},
      {"personality with READ_IMPLIES_EXEC", {"call", "personality"}, "EPERM"},
  });
  try_all({{"mincore, in strict CVE-2019-5489", {"call", "mincore"}, "EPERM"}},
          {"--seccomp", "strict"});
}

TEST_CASE("filter: the ABI of i386 is not there") {
  const Ground ground;
  if (run({JAULA_BIN_DIR "/attacker", "call", "i386"}).code != 0)
    return skip("this kernel has no i386 system calls");
  try_all({{"i386 system calls CVE-2007-4573 CVE-2010-3301", {"call", "i386"}, "ENOSYS"}});
}

TEST_CASE("filter: requests that drive a terminal are refused, also with bits above the 32nd") {
  try_all({
      {"TIOCSTI CVE-2016-2568 CVE-2016-7545 CVE-2017-5226", {"call", "TIOCSTI"}, "EPERM"},
      {"TIOCSTI with a high bit CVE-2019-10063", {"call", "TIOCSTI-high"}, "EPERM"},
      {"TIOCLINUX CVE-2023-28100", {"call", "TIOCLINUX"}, "EPERM"},
      {"TIOCSETD CVE-2017-2636 CVE-2023-6546", {"call", "TIOCSETD"}, "EPERM"},
  });
}

TEST_CASE("filter: who is told of a denied call does not let it through") {
  const Ground ground;
  Attack attack("filter: a denied call that is reported");
  Ran ran = ground.attack({"call", "unshare"});
  attack.held(ran.out == "EPERM\n", ran.out + ran.err);
  ran = ground.without("denials answered").attack({"call", "unshare"});
  attack.control(ran.code == 0 && ran.out != "EPERM\n", ran.out + ran.err);
}

}  // namespace jaula::test

// Who a process is once its credentials are applied: as /proc says, and what execve(2) leaves of
// it.
#include "isolation/credentials.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

using isolation::Credentials;

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }
constexpr std::uint64_t kFew = bit(CAP_CHOWN) | bit(CAP_KILL) | bit(CAP_NET_BIND_SERVICE);

// Those of the root of a user namespace with one id.
Credentials single() {
  Credentials credentials;
  credentials.set_groups = false;
  return credentials;
}

// Without the zeros in front: "0", "421".
std::string set_of_self(const char* name) {
  const std::string text = status_of_self(name);
  return text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
}

std::string capabilities_of_self() {
  std::string text;
  for (const char* name : {"CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"})
    text += std::string(text.empty() ? "" : " ") + (name + 3) + "=" + set_of_self(name);
  return text;
}

// The same lines of a program that this process executes.
std::string capabilities_after_exec() {
  Pipe pipe;
  Child program([&] {
    ::dup2(pipe.to(), 1);
    ::execlp("grep", "grep", "-oE", "^Cap(Eff|Amb).*", "/proc/self/status", nullptr);
    return 1;
  });
  const std::string text = pipe.take_all();
  return program.wait() == 0 ? text : "grep could not be executed";
}

bool is_root() {
  if (::geteuid() == 0) return true;
  std::puts("SKIP: only root has more ids than one to choose from");
  return false;
}

}  // namespace

TEST_CASE("credentials: user and group change in all four places, and the groups are the list's") {
  if (!is_root()) return;
  const auto seen = inside(0, [] {
    Credentials credentials;
    credentials.uid = 1234;
    credentials.gid = 99;
    credentials.groups = {99, 7, 4000000000};
    std::string text = outcome(isolation::apply(credentials));
    for (const char* line : {"Uid", "Gid", "Groups"}) text += status_of_self(line) + "\n";
    return text;
  });
  CHECK_EQ(*seen, "fine\n1234\t1234\t1234\t1234\n99\t99\t99\t99\n7 99 4000000000\n");
}

TEST_CASE("credentials: an empty list leaves no group, and where groups cannot be set they stay") {
  if (!is_root()) return;
  for (const bool set : {true, false}) {
    CAPTURE(set);
    const auto seen = inside(0, [&] {
      const gid_t before[] = {5, 6};
      if (::setgroups(2, before) < 0) return std::string("no groups");
      Credentials credentials;
      credentials.set_groups = set;
      return in_order({outcome(isolation::apply(credentials)), status_of_self("Groups")});
    });
    CHECK_EQ(*seen, std::string(set ? "fine\n" : "fine\n5 6"));
  }
}

TEST_CASE("credentials: root keeps what is permitted, and with no_new_privs its programs no more") {
  for (const bool locked : {true, false}) {
    CAPTURE(locked);
    const auto seen = inside(CLONE_NEWUSER, [&] {
      Credentials credentials = single();
      credentials.bounding = kFew | bit(CAP_SETUID);
      credentials.permitted = kFew;
      credentials.no_new_privs = locked;
      return in_order({outcome(isolation::apply(credentials)), capabilities_of_self(), "\n",
                       capabilities_after_exec()});
    });
    if (!seen) return;
    // Without it, the bounding set is what root gets with every program: capabilities(7).
    CHECK_EQ(*seen, std::string("fine\nBnd=4a1 Prm=421 Eff=421 Inh=0 Amb=0\nCapEff:\t") +
                        (locked ? "0000000000000421" : "00000000000004a1") +
                        "\nCapAmb:\t0000000000000000\n");
  }
}

TEST_CASE("credentials: without a capability in the bounding set none is left, for programs too") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    return in_order({outcome(isolation::apply(single())), capabilities_of_self(), "\n",
                     capabilities_after_exec()});
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\nBnd=0 Prm=0 Eff=0 Inh=0 Amb=0\n"
           "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n");
}

TEST_CASE("credentials: a user who is not root hands on to programs what is ambient, and no more") {
  if (!is_root()) return;
  for (const std::uint64_t ambient : {kFew, std::uint64_t{0}}) {
    CAPTURE(ambient);
    const auto seen = inside(0, [&] {
      Credentials credentials;
      credentials.uid = credentials.gid = 1234;
      credentials.bounding = credentials.permitted = kFew;
      credentials.ambient = ambient;
      return in_order({outcome(isolation::apply(credentials)), capabilities_of_self(), "\n",
                       capabilities_after_exec()});
    });
    const std::string expected = ambient != 0
                                     ? "fine\nBnd=421 Prm=421 Eff=421 Inh=421 Amb=421\n"
                                       "CapEff:\t0000000000000421\nCapAmb:\t0000000000000421\n"
                                     : "fine\nBnd=421 Prm=421 Eff=421 Inh=0 Amb=0\n"
                                       "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n";
    CHECK_EQ(*seen, expected);
  }
}

TEST_CASE("credentials: the umask and no_new_privs are as asked for, and securebits untouched") {
  for (const bool locked : {true, false}) {
    CAPTURE(locked);
    const auto seen = inside(CLONE_NEWUSER, [&] {
      Credentials credentials = single();
      credentials.umask = 0027;
      credentials.no_new_privs = locked;
      std::string text = outcome(isolation::apply(credentials));
      text += "umask " + std::to_string(::umask(0)) + " NoNewPrivs " + status_of_self("NoNewPrivs");
      // SECBIT_KEEP_CAPS, which the change of ids took, goes with the next execve: prctl(2).
      return text + " securebits " +
             std::to_string(::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & ~(1 << 4));
    });
    if (!seen) return;
    CHECK_EQ(*seen,
             std::string("fine\numask 23 NoNewPrivs ") + (locked ? "1" : "0") + " securebits 0");
  }
}

TEST_CASE("credentials: an id that is not mapped is named, and the hint says where to look") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    Credentials credentials = single();
    credentials.gid = 7;
    std::string text = outcome(isolation::apply(credentials));
    credentials.gid = 0;
    credentials.uid = 33;
    text += outcome(isolation::apply(credentials));
    return text + outcome(isolation::become_namespace_root(0, 5, false));
  });
  if (!seen) return;
  const std::string hint =
      ": Invalid argument\n  that id is not mapped into the jail: see its map in `jaula plan`\n";
  CHECK_EQ(*seen, "become group 7" + hint + "become user 33" + hint + "become group 5" + hint);
}

TEST_CASE("credentials: what may not be given up or taken is an error that says which") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    Credentials more = single();
    more.bounding = more.permitted = ~std::uint64_t{0};
    Credentials less = single();
    less.bounding = ~std::uint64_t{1};
    drop_capabilities();
    return in_order({outcome(isolation::apply(more)), outcome(isolation::apply(less)),
                     outcome(isolation::become_namespace_root(0, 0, true))});
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "set capabilities: Operation not permitted\n"
           "drop capability 0 from the bounding set: Operation not permitted\n"
           "set supplementary groups: Operation not permitted\n");
}

TEST_CASE("credentials: the root of a new user namespace has its ids and none of the old groups") {
  if (!is_root()) return;
  const auto seen = inside(0, [] {
    const gid_t before[] = {5, 6};
    if (::setgroups(2, before) < 0) return std::string("no groups");
    // The parent maps it, as a jail's does: more ids than one.
    Pipe unshared, mapped;
    Child parent([&, pid = ::getpid()] {
      unshared.wait();
      const std::string process = "/proc/" + std::to_string(pid);
      put_file(process + "/uid_map", "0 524288 100");
      put_file(process + "/gid_map", "0 524288 100");
      mapped.signal();
      return 0;
    });
    if (::unshare(CLONE_NEWUSER) < 0) return std::string("no user namespace");
    unshared.signal();
    mapped.wait();
    const std::string unmapped = status_of_self("Uid");
    const Result<void> became = isolation::become_namespace_root(0, 9, true);
    return unmapped + "\n" + outcome(became) + status_of_self("Uid") + "\n" +
           status_of_self("Gid") + "\n" + status_of_self("Groups");
  });
  CHECK_EQ(*seen, "65534\t65534\t65534\t65534\nfine\n0\t0\t0\t0\n9\t9\t9\t9\n");
}

}  // namespace jaula::test

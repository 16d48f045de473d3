// A small filter, as the kernel keeps and applies it. What the real ones say is for the unit tests.
#include "isolation/seccomp.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

using isolation::SeccompFilter;

// getppid(2) fails with ENOTTY, which it never does by itself; all else is allowed.
SeccompFilter small_filter() {
  return {{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
}

std::string ask() {
  if (::syscall(SYS_getppid) >= 0) return "allowed";
  return errno == ENOTTY ? "filtered" : ::strerror(errno);
}

std::string filters() { return " mode " + status_of_self("Seccomp") + "\n"; }

void set_no_new_privs() { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

}  // namespace

TEST_CASE("filter: it holds from the call on, and for every process that follows") {
  const auto seen = inside(0, [] {
    std::string text = ask() + filters();
    set_no_new_privs();
    text += outcome(isolation::apply(small_filter()));
    text += ask() + filters();
    return text + (Child([] { return ask() == "filtered" ? 0 : 1; }).wait() == 0
                       ? "its child is filtered"
                       : "its child is free");
  });
  CHECK_EQ(*seen, "allowed mode 0\nfine\nfiltered mode 2\nits child is filtered");
}

TEST_CASE("filter: an empty one installs nothing") {
  const auto seen = inside(0, [] {
    return in_order({outcome(isolation::apply(SeccompFilter{})), ask(), filters()});
  });
  CHECK_EQ(*seen, "fine\nallowed mode 0\n");
}

TEST_CASE("filter: without no_new_privs it takes CAP_SYS_ADMIN, and its lack is told") {
  const auto seen = inside(CLONE_NEWUSER, [] {
    const bool works = Child([] { return isolation::apply(small_filter()) ? 0 : 1; }).wait() == 0;
    drop_capabilities();
    return in_order({works ? "fine\n" : "refused\n", outcome(isolation::apply(small_filter())),
                     ask(), filters()});
  });
  if (!seen) return;
  CHECK_EQ(*seen,
           "fine\ninstall the system call filter of 4 instructions: Permission denied\n"
           "allowed mode 0\n");
}

TEST_CASE("filter: one that the kernel cannot accept is an error and no filter") {
  const auto seen = inside(0, [] {
    set_no_new_privs();
    SeccompFilter endless = small_filter();
    endless.instructions.pop_back();  // it runs off its end
    return in_order({outcome(isolation::apply(endless)), ask(), filters()});
  });
  CHECK_EQ(*seen,
           "install the system call filter of 3 instructions: Invalid argument\n"
           "allowed mode 0\n");
}

// Nothing answers the listener here, so nothing that is reported is called but after it is closed.
TEST_CASE(
    "filter: one that reports gives a listener, without which a call fails and does not wait") {
  const auto seen = inside(0, [] {
    set_no_new_privs();
    SeccompFilter filter = small_filter();
    filter.reporting = filter.instructions;
    filter.reporting[2].k = SECCOMP_RET_USER_NOTIF;
    Result<Fd> listener = isolation::apply(filter);
    std::string text = outcome(listener) + (listener && *listener ? "listens, " : "does not, ");
    const bool closes = listener && (::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC) != 0;
    listener->reset();
    return text + (closes ? "closes at execve, " : "stays, ") + ask() + filters();
  });
  CHECK_EQ(*seen, "fine\nlistens, closes at execve, Function not implemented mode 2\n");
}

TEST_CASE("filter: below a listener of another one denies all the same, and reports nothing") {
  const auto seen = inside(0, [] {
    set_no_new_privs();
    SeccompFilter around{{BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
    around.reporting = around.instructions;
    SeccompFilter filter = small_filter();
    filter.reporting = filter.instructions;
    filter.reporting[2].k = SECCOMP_RET_USER_NOTIF;
    const Result<Fd> outer = isolation::apply(around);
    const Result<Fd> inner = isolation::apply(filter);
    std::string text = outer && *outer ? "listens, " : "does not, ";
    return text + outcome(inner) + (inner && *inner ? "listens, " : "does not, ") + ask();
  });
  CHECK_EQ(*seen, "listens, fine\ndoes not, filtered");
}

}  // namespace jaula::test

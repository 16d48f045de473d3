// The name of a UTS namespace, as uname(2) says it.
#include "isolation/hostname.h"

#include <doctest/doctest.h>
#include <sys/utsname.h>

#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

std::string node_name() {
  utsname names{};
  ::uname(&names);
  return names.nodename;
}

}  // namespace

TEST_CASE("host name: it is set in the namespace, and the machine keeps its own") {
  const std::string before = node_name();
  const auto seen = inside(CLONE_NEWUTS, [] {
    return in_order({outcome(isolation::apply(isolation::Hostname{"web.example"})), node_name()});
  });
  if (!seen) return;
  CHECK_EQ(*seen, "fine\nweb.example");
  CHECK_EQ(node_name(), before);
}

TEST_CASE("host name: an empty one leaves the name alone") {
  const std::string before = node_name();
  const auto seen = inside(0, [] {
    return in_order({outcome(isolation::apply(isolation::Hostname{})), node_name()});
  });
  CHECK_EQ(*seen, "fine\n" + before);
}

TEST_CASE("host name: 64 bytes are the most that the kernel takes") {
  const std::string longest(64, 'h');
  const auto seen = inside(CLONE_NEWUTS, [&] {
    return in_order({outcome(isolation::apply(isolation::Hostname{longest})),
                     outcome(isolation::apply(isolation::Hostname{longest + "h"})), node_name()});
  });
  if (!seen) return;
  CHECK_EQ(*seen, "fine\nset host name " + longest + "h: Invalid argument\n" + longest);
}

}  // namespace jaula::test

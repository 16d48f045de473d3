#include "runtime/plan/capabilities.h"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/capability.h>

#include "runtime/spec/capability_names.h"

namespace jaula::test {

using plan::capability_number;

TEST_CASE("capabilities: a name is found with and without its prefix, in any case") {
  for (const char* name : {"CAP_NET_ADMIN", "cap_net_admin", "NET_ADMIN", "Net_Admin"})
    CHECK(capability_number(name) == CAP_NET_ADMIN);
  CHECK(capability_number("CHOWN") == CAP_CHOWN);
  CHECK(capability_number("checkpoint_restore") == CAP_CHECKPOINT_RESTORE);
}

TEST_CASE("capabilities: what is no name is no capability") {
  using namespace std::string_view_literals;
  for (const std::string_view name : {""sv,
                                      "CAP_"sv,
                                      "cap_cap_chown"sv,
                                      "CAP_NET"sv,
                                      "net_admin "sv,
                                      " net_admin"sv,
                                      "12"sv,
                                      "cap_12"sv,
                                      "0"sv,
                                      "41"sv,
                                      "CAP_41"sv,
                                      "63"sv,
                                      "-1"sv,
                                      "all"sv,
                                      "cap_chown+ep"sv,
                                      "cap_chown,cap_kill"sv,
                                      "cap_chown=ep"sv,
                                      "chown\0"sv,
                                      "chown\0kill"sv,
                                      "chöwn"sv})
    CHECK_MESSAGE(!capability_number(name), name);
}

TEST_CASE("capabilities: every number has a name that leads back to it") {
  for (int number = 0; number <= CAP_LAST_CAP; ++number)
    CHECK(capability_number(plan::capability_name(number)) == number);
  CHECK(plan::capability_name(CAP_SYS_ADMIN) == "CAP_SYS_ADMIN");
  CHECK(plan::capability_name(63) == "CAP_63");
}

TEST_CASE("capabilities: a mask holds the bits of its names and gives the names back in order") {
  const std::vector<std::string> names = {"KILL", "cap_chown", "KILL", "CAP_SETUID"};
  const std::uint64_t mask = plan::capability_mask(names);
  CHECK(mask == (1U << CAP_CHOWN | 1U << CAP_KILL | 1U << CAP_SETUID));
  CHECK(plan::capability_names(mask) ==
        std::vector<std::string>{"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"});
  CHECK(plan::capability_mask({}) == 0);
  CHECK(plan::capability_names(0).empty());
  CHECK(plan::capability_names(std::uint64_t{1} << CAP_CHECKPOINT_RESTORE) ==
        std::vector<std::string>{"CAP_CHECKPOINT_RESTORE"});
}

TEST_CASE("capabilities: they have the names that libcap gives them") {
  REQUIRE(spec::kCapabilityNames.size() == CAP_LAST_CAP + 1);
  for (int number = 0; number <= CAP_LAST_CAP; ++number) {
    cap_value_t known = -1;
    CHECK(::cap_from_name(plan::capability_name(number).c_str(), &known) == 0);
    CHECK(known == number);
  }
}

}  // namespace jaula::test

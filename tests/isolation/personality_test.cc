// What uname(2) tells of the machine after a personality was taken.
#include "isolation/personality.h"

#include <doctest/doctest.h>
#include <sys/personality.h>
#include <sys/utsname.h>

#include "tests/isolation/inside.h"

namespace jaula::test {

TEST_CASE("personality: it is taken, and left alone where none is asked for") {
  const auto seen = inside(0, [] {
    const auto machine = [] {
      utsname name{};
      ::uname(&name);
      return std::string(name.machine) + "\n";
    };
    std::string text = machine();
    for (const long domain : {-1L, long{PER_LINUX32}, long{PER_LINUX}}) {
      text += outcome(isolation::apply(isolation::Personality{.domain = domain}));
      text += machine();
    }
    return text;
  });
  if (!seen) return;
  CHECK_EQ(*seen, "x86_64\nfine\nx86_64\nfine\ni686\nfine\nx86_64\n");
}

}  // namespace jaula::test

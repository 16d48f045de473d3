// Errors and text helpers, which every layer uses.
#include <doctest/doctest.h>
#include <errno.h>

#include "runtime/base/error.h"
#include "runtime/base/text.h"

namespace jaula::test {

TEST_CASE("error: control bytes of a name do not reach the terminal that shows it") {
  Error error(ENOENT, "execute ", std::string_view("/x\x1b]0;t\a\n\x7f"));
  CHECK_EQ(error.text(), "execute /x?]0;t???");
  error.hint("try\n       again", std::string_view("\x1b"));
  CHECK_EQ(error.hint_text(), "try\n       again?");
  CHECK_EQ(error.in("web.yaml:1:2: ").text(), "web.yaml:1:2: execute /x?]0;t???");
  CHECK_EQ(Error(0, "Größe").text(), "Größe");
  CHECK_EQ(Error(0, "a\xC2\x9Bm").text(), "a??m");
}

TEST_CASE("error: one that says it all has no reason, whatever its code") {
  Error error(ENOENT, "there is no jail web");
  CHECK_FALSE(error.reason().empty());
  CHECK(error.self_explaining().reason().empty());
  CHECK_EQ(error.code(), ENOENT);
}

TEST_CASE("text: the nearest word is the one that a slip of the hand explains") {
  const std::string_view verbs[] = {"run", "exec", "stop", "ps", "logs", "inspect"};
  CHECK_EQ(nearest("rnu", verbs), "run");  // swapped
  CHECK_EQ(nearest("stp", verbs), "stop");
  CHECK_EQ(nearest("logss", verbs), "logs");
  CHECK_EQ(nearest("inspct", verbs), "inspect");
  CHECK_EQ(nearest("pause", verbs), "");
  CHECK_EQ(nearest("", verbs), "");
}

}  // namespace jaula::test

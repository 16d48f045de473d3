#include <algorithm>

#include "runtime/base/text.h"
#include "tests/jail/jails.h"

namespace jaula::test {

TEST_CASE("logs: standard output and error are kept apart and whole") {
  const Jails jails;
  const std::string name = jails.name("apart");
  jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "lines", "1000"});
  jails.jaula({"wait", name});
  const Ran ran = jails.jaula({"logs", name});
  CHECK_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1000);
  CHECK_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1000);
  CHECK(contains(ran.out, "line 999 on stdout\n"));
  CHECK(contains(ran.err, "line 999 on stderr\n"));
  CHECK_FALSE(contains(ran.out, "stderr"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("logs: --tail, --since, --until and --timestamps choose and mark lines") {
  const Jails jails;
  const std::string name = jails.name("chosen");
  jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "lines", "5"});
  jails.jaula({"wait", name});
  const std::string now = rfc3339(now_nanoseconds());
  CHECK_EQ(jails.jaula({"logs", "--since", now, name}).out, "");
  CHECK_EQ(jails.jaula({"logs", "--until", "1h", name}).out, "");
  CHECK(contains(jails.jaula({"logs", "--since", "1h", name}).out, "line 0 on stdout\n"));
  CHECK(contains(jails.jaula({"logs", "--until", "9999-12-31T00:00:00Z", name}).err, "9999"));
  const Ran tail = jails.jaula({"logs", "-n", "1", name});
  CHECK_EQ(std::ranges::count(tail.out + tail.err, '\n'), 1);
  CHECK(contains(tail.out + tail.err, "line 4 on "));
  const std::string marked = jails.jaula({"logs", "-t", name}).out;
  CHECK(contains(marked, "Z line 0 on stdout\n"));
  CHECK_EQ(marked.substr(0, 3), now.substr(0, 3));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("logs: --follow ends when the jail has ended and all is read") {
  const Jails jails;
  const std::string name = jails.name("followed");
  jails.start(name, {"await", "TERM"});
  Program log(jails.command({"logs", "-f", name}), {});
  REQUIRE_EQ(log.line(), "ready");
  CHECK_EQ(jails.jaula({"stop", "--keep", name}).code, 0);
  CHECK_EQ(log.line(), "TERM");
  CHECK_EQ(log.wait().code, 0);
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("logs: a flood is bounded by rotation, and what is kept is the end") {
  const Jails jails;
  const std::string name = jails.name("flood");
  jails.jaula({"run", "-d", "--name", name, jails.root(), "probe", "lines", "400000"});
  jails.jaula({"wait", name});
  std::uintmax_t size = 0;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(jails.state() + "/data/" + name))
    if (file.is_regular_file()) size += file.file_size();
  CHECK_GT(size, std::uintmax_t{10} << 20);
  CHECK_LE(size, std::uintmax_t{31} << 20);
  // Between the two streams there is no order: each has its own pipe.
  const Ran ran = jails.jaula({"logs", "-n", "5000", name});
  CHECK(contains(ran.out, "line 399999 on stdout\n"));
  CHECK(contains(ran.err, "line 399999 on stderr\n"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE(
    "logs: what the caller's limit of file sizes does not let in is counted, and kills nobody") {
  const Jails jails;
  const std::string name = jails.name("limited");
  Words words =
      jails.command({"run", "-d", "--name", name, jails.root(), "probe", "lines", "5000"});
  words.insert(words.begin(), {"prlimit", "--fsize=65536"});
  CHECK_EQ(run(words).code, 0);
  CHECK_EQ(jails.jaula({"wait", name}).out, "0\n");
  CHECK(contains(jails.jaula({"ps", "-a"}).out, " bytes of its output could not be stored"));
  CHECK_EQ(jails.jaula({"rm", name}).code, 0);
}

TEST_CASE("logs: a jail in the foreground has none, and says why") {
  const Jails jails;
  const std::string name = jails.name("front");
  Program program(jails.command({"run", "--name", name, jails.root(), "probe", "await", "TERM"}),
                  {});
  REQUIRE_EQ(program.line(), "ready");
  const Ran ran = jails.jaula({"logs", name});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "runs in the foreground"));
}

}  // namespace jaula::test

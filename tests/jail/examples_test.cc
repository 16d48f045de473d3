#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/jail/jails.h"

// The files of examples/, run as they are.
namespace jaula::test {
namespace {

std::string example(const std::string& name) {
  return std::string(JAULA_SOURCE_DIR) + "/examples/" + name;
}

// What an HTTP server on loopback answers to GET /, or "" while nobody listens.
std::string fetch(std::uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return {};
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  if (::write(socket.get(), request.data(), request.size()) < 0) return {};
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = ::read(socket.get(), buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  return answer;
}

// Until the server answers, or its jail has ended.
std::string fetch_from(const Jails& jails, const std::string& name, std::uint16_t port) {
  for (;;) {
    std::string answer = fetch(port);
    if (!answer.empty() || !contains(jails.jaula({"ps", "-q"}).out, name)) return answer;
  }
}

}  // namespace

TEST_CASE("examples: hello.yaml serves its page from a jail") {
  const Jails jails;
  if (!installed("/bin/busybox")) return skip("busybox is not installed");
  const std::string name = jails.name("hello");
  const Ran ran = jails.jaula({"run", "-d", "--name", name, example("hello.yaml")});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  CHECK(contains(fetch_from(jails, name, 8080), "Hello from a jail."));
  const Ran inside = jails.jaula({"exec", name, "sh", "-c", "id -u; cat /proc/self/status"});
  CHECK_EQ(inside.out.substr(0, 2), "0\n");
  CHECK_EQ(status_field(inside.out, "NoNewPrivs"), "1");
  CHECK_EQ(status_field(inside.out, "Seccomp"), "2");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("examples: nginx.yaml is Debian's nginx with one writable directory") {
  const Jails jails;
  if (!installed("/usr/sbin/nginx")) return skip("nginx is not installed");
  const std::string name = jails.name("nginx");
  const std::string state = jails.scratch() / "nginx";
  let_everybody_write(state);
  const Ran ran = jails.jaula({"run", "-d", "--name", name, example("nginx.yaml")},
                              {.environment = {{"NGINX_STATE", state}}});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  const std::string page = fetch_from(jails, name, 8081);
  CHECK_MESSAGE(contains(page, "Hello from a jail."), jails.jaula({"logs", name}).err);
  CHECK(contains(page, "Server: nginx"));
  CHECK(std::filesystem::exists(state + "/nginx.pid"));
  CHECK_NE(jails.jaula({"exec", name, "touch", "/etc/nginx/jail.conf"}).code, 0);
  CHECK_NE(jails.jaula({"exec", name, "touch", "/srv/www/x"}).code, 0);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE(
    "examples: postgres.yaml makes its cluster in the jail and answers a query through exec") {
  const Jails jails;
  if (!installed("/usr/lib/postgresql/15/bin/postgres")) return skip("postgresql is not installed");
  const std::string name = jails.name("postgres");
  const std::string state = jails.scratch() / "postgres";
  let_everybody_write(state);
  const Ran ran = jails.jaula({"run", "-d", "--name", name, example("postgres.yaml")},
                              {.environment = {{"PG_STATE", state}}});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  Program log({"sh", "-c", "exec \"$@\" 2>&1", "sh", jaula_binary(), "--root", jails.state(),
               "logs", "-f", name},
              {});
  std::string said;
  while (!contains(said, "ready to accept connections") && !log.ended()) said += log.line() + "\n";
  REQUIRE_MESSAGE(!log.ended(), said);
  const Ran query =
      jails.jaula({"exec", name, "psql", "-h", "/run/postgresql", "-Atc", "select 6 * 7"});
  CHECK_MESSAGE(query.out == "42\n", query.err);
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("examples: oneshot.yaml ends by itself with its result") {
  const Jails jails;
  const Ran ran = jails.jaula({"run", example("oneshot.yaml")});
  CHECK_EQ(ran.out, "100000\n");
  CHECK_EQ(ran.code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

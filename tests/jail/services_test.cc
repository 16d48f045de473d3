// Debian's own servers and languages do in a jail what they do elsewhere: tests/jail/services has
// what they are asked. All traffic stays in the jail's network. What holds them is read from /proc.
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

constexpr const char* kNoCapability = "0000000000000000";
constexpr const char* kOfRoot = "00000000000000fb";  // of the profile `default`

// Every process below this one, from the host: "PID NAME".
void add_descendants(int pid, std::vector<int>& found) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::istringstream children(file_bytes(process + "/task/" + std::to_string(pid) + "/children"));
  for (int child; children >> child;) {
    found.push_back(child);
    add_descendants(child, found);
  }
}

// A service of rootfs `host` that is started from a spec.
class Service {
 public:
  Service(const Jails& jails, const std::string& name, const std::string& keys)
      : jails_(jails), name_(jails.name(name)), spec_(jails.scratch() / name + ".yaml") {
    put_file(spec_, "services:\n  it:\n    rootfs: host\n" + keys);
    start();
  }

  void start() const {
    const Ran ran = jails_.jaula({"run", "-d", "--name", name_, spec_});
    REQUIRE_MESSAGE(ran.code == 0, ran.err);
  }

  // The standard output of a command in the jail; it fails the test if the command fails.
  std::string out(Words words) const {
    words.insert(words.begin(), {"exec", name_});
    const Ran ran = jails_.jaula(words);
    CHECK_MESSAGE(ran.code == 0, ran.err << jails_.jaula({"logs", name_}).err);
    return ran.out;
  }

  // The output of the service itself, to a line of this text or to its end.
  [[nodiscard]] std::string output_until(const std::string& last) const {
    Program log(jails_.command({"logs", "-f", name_}), {});
    std::string text;
    while (!log.ended()) {
      const std::string line = log.line();
      if (line == last) return text;
      text += line + "\n";
    }
    return text + jails_.jaula({"logs", name_}).err;
  }

  // The processes of this name have at most these capabilities, and all of the jail's are under its
  // filter.
  void check_confined(const std::string& comm, const std::string& capabilities) const {
    std::vector<int> pids;
    add_descendants(jails_.init_pid(name_), pids);
    int seen = 0;
    for (const int pid : pids) {
      const std::string status = file_bytes("/proc/" + std::to_string(pid) + "/status");
      if (status.empty()) continue;  // it has ended meanwhile
      CAPTURE(status);
      CHECK_EQ(status_field(status, "Seccomp"), "2");
      CHECK_EQ(status_field(status, "NoNewPrivs"), "1");
      CHECK_EQ(status_field(status, "CapInh"), kNoCapability);
      CHECK_EQ(status_field(status, "CapAmb"), kNoCapability);
      if (status_field(status, "Name") != comm) continue;
      ++seen;
      CHECK_EQ(status_field(status, "CapBnd"), capabilities);
      for (const char* set : {"CapPrm", "CapEff"})  // a server gives them up for its workers
        if (status_field(status, set) != kNoCapability)
          CHECK_EQ(status_field(status, set), capabilities);
    }
    CHECK_GT(seen, 0);
  }

  void stop() const { CHECK_EQ(jails_.jaula({"stop", name_}).code, 0); }

 private:
  const Jails& jails_;
  std::string name_, spec_;
};

constexpr const char* kScripts = "      - " JAULA_SOURCE_DIR "/tests/jail/services:/srv/test:ro\n";

std::string state_volume(const Jails& jails, const std::string& target) {
  let_everybody_write(jails.scratch() / "data");
  return "      - {type: bind, source: " + jails.scratch() / "data" + ", target: " + target +
         ", bind: {create_host_path: true}}\n";
}

// What the clients of the tests need; Debian's python3-minimal has less.
bool have_python() { return run({"python3", "-c", "import http.client, ssl, sqlite3"}).code == 0; }

// Pages, proxies, uploads, threads, a reload.
void check_nginx(const Jails& jails, const std::string& command, const std::string& keys,
                 const std::string& capabilities) {
  const std::string ground = jails.scratch() / "srv";
  std::filesystem::create_directories(ground + "/www");
  put_file(ground + "/www/index.html", "Hello from a jail.\n");
  put_file(ground + "/www/large", std::string(3'000'000, 'z'));
  put_file(ground + "/generation", "add_header Generation 1;\n");
  std::filesystem::create_directories(ground + "/test");
  const Service nginx(jails, "nginx",
                      "    command: [nginx, -c, /srv/test/nginx.conf, -g, \"" + command +
                          "\"]\n    stop_signal: SIGQUIT\n    tmpfs: [\"/run/nginx:mode=1777\"]\n" +
                          keys +
                          "    volumes:\n      - /etc/nginx/mime.types:/etc/nginx/mime.types:ro\n" +
                          "      - " + ground + ":/srv:ro\n" + kScripts);
  CHECK_EQ(nginx.out({"python3", "/srv/test/nginx.py"}),
           "page: 200 Hello from a jail.\n"
           "large: 200 3000000 bytes of {122}\n"
           "threads: 200 3000000 bytes of {122}\n"
           "range: 206 Hello\n"
           "packed: gzip\n"
           "missing: 404 \n"
           "proxy: 200 Hello from a jail.\n"
           "proxy, large: 200 3000000 bytes of {122}\n"
           "put: 201 \n"
           "stored: 100000\n"
           "delete: 204 \n"
           "left: []\n");
  nginx.check_confined("nginx", capabilities);
  put_file(ground + "/generation", "add_header Generation 2;\n");
  nginx.out({"sh", "-c", "kill -HUP $(cat /run/nginx/nginx.pid)"});
  nginx.out({"python3", "/srv/test/nginx.py", "2"});
  nginx.check_confined("nginx", capabilities);
  const std::string log = nginx.out({"cat", "/run/nginx/access.log"});
  for (const char* line : {"80 GET /index.html 206\n", "81 GET /large 200\n",
                           "81 PUT /put/file 201\n", "80 HEAD /nothing 404\n"})
    CHECK_MESSAGE(contains(log, line), log);
  nginx.stop();
  CHECK_EQ(jails.left_behind(), "");
}

// Transactions, scripts, forks that save, and what is kept over a restart.
void check_redis(const Jails& jails, const std::string& keys) {
  const Service redis(
      jails, "redis",
      "    user: redis\n    command: [redis-server, --dir, /var/lib/redis, --appendonly, \"yes\", "
      "--save, \"60\", \"1\", --io-threads, \"2\", --unixsocket, /run/redis/redis.sock]\n"
      "    tmpfs: [\"/run/redis:mode=1777\"]\n" +
          keys + "    volumes:\n" + kScripts + state_volume(jails, "/var/lib/redis"));
  CHECK_EQ(redis.out({"python3", "/srv/test/redis.py"}),
           "set: +OK value\n"
           "lua: 11f6ad8ec52a2984abaafd7c3b516503785c2072\n"
           "sorted: ['1000', '999']\n"
           "expires: +OK [] None\n"
           "published: 1 ['message', 'news', 'hello']\n"
           "transaction: +OK +QUEUED [1]\n"
           "fork: +Background saving started\n"
           "saved: ok\n"
           "fork: +Background append only file rewriting started\n"
           "rewritten: ok\n"
           "late: +OK ok\n"
           "freed by a thread: +OK 1\n");
  redis.check_confined("redis-server", kNoCapability);
  redis.stop();
  CHECK(std::filesystem::exists(jails.scratch() / "data/dump.rdb"));
  redis.start();
  CHECK_EQ(redis.out({"python3", "/srv/test/redis.py", "again"}), "kept: value 1000 too\n");
  redis.stop();
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace

TEST_CASE("services: nginx as root, with workers that are not, under the default profile") {
  const Jails jails;
  if (!installed("/usr/sbin/nginx")) return skip("nginx is not installed");
  if (!have_python()) return skip("python3 is not installed");
  check_nginx(jails, "daemon off; user www-data;", "", kOfRoot);
}

TEST_CASE("services: nginx as www-data under the strict profile") {
  const Jails jails;
  if (!installed("/usr/sbin/nginx")) return skip("nginx is not installed");
  if (!have_python()) return skip("python3 is not installed");
  check_nginx(jails, "daemon off;", "    user: www-data\n    seccomp: strict\n", kNoCapability);
}

TEST_CASE("services: redis under the default profile") {
  const Jails jails;
  if (!installed("/usr/bin/redis-server")) return skip("redis-server is not installed");
  if (!have_python()) return skip("python3 is not installed");
  check_redis(jails, "");
}

TEST_CASE("services: redis under the strict profile") {
  const Jails jails;
  if (!installed("/usr/bin/redis-server")) return skip("redis-server is not installed");
  if (!have_python()) return skip("python3 is not installed");
  check_redis(jails, "    seccomp: strict\n");
}

TEST_CASE("services: postgres makes a cluster, works with it and finds it again") {
  const Jails jails;
  if (!installed("/usr/lib/postgresql/15/bin/postgres")) return skip("postgresql is not installed");
  const Service postgres(
      jails, "postgres",
      std::string("    user: postgres\n    command: [sh, /srv/test/postgres.sh]\n"
                  "    tmpfs: [\"/run/postgresql:mode=1777\"]\n"
                  "    stop_signal: SIGINT\n    volumes:\n") +
          kScripts + state_volume(jails, "/var/lib/postgresql"));
  const Words ready = {"sh", "-c", "until pg_isready -q; do :; done"};
  postgres.out(ready);
  CHECK_EQ(postgres.out({"psql", "-qAtf", "/srv/test/postgres.sql"}),
           "99|first|4950\n"
           "cecdae1fc7baf54e4189a2b0ee7c0d74\n"
           "10000\n"
           "15511210043330985984000000\n"
           "10000\n"
           "|t\n");
  postgres.check_confined("postgres", kNoCapability);
  postgres.stop();
  postgres.start();
  postgres.out(ready);
  CHECK_EQ(postgres.out(
               {"psql", "-h", "127.0.0.1", "-Atc", "select count(*), min(id), max(id) from pair"}),
           "10000|1|10000\n");
  postgres.stop();
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("services: python has threads, processes, databases, servers, TLS and files") {
  const Jails jails;
  if (!have_python()) return skip("python3 is not installed");
  const Service python(
      jails, "python",
      std::string("    command: [python3, /srv/test/work.py]\n    volumes:\n") + kScripts);
  CHECK_EQ(python.output_until("ready"),
           "threads 328350\n"
           "fork 328350 spawn 328350 server 328350\n"
           "shared there 0\n"
           "subprocess 3 b'in\\n' 4\n"
           "sqlite wal 499500\n"
           "asyncio b'HELLO\\n' b'HELLO\\n' b'cat\\n' 127.0.0.1\n"
           "ssl b'terces' TLSv1.3\n"
           "files ['copied', 'fifo', 'linked', 'renamed', 'symbolic'] b'yxxxx' 1.0\n"
           "events 1 b'through'\n"
           "system 16 e3b0c442 True True True True\n");
  python.check_confined("python3", kOfRoot);
  python.stop();
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("services: node has servers, clients, threads, children, a cluster and files") {
  const Jails jails;
  if (!installed("/usr/bin/node")) return skip("nodejs is not installed");
  const Service node(
      jails, "node",
      std::string("    command: [node, /srv/test/work.js]\n    volumes:\n") + kScripts);
  CHECK_EQ(node.output_until("ready"),
           "http 50 /N49 unix\n"
           "http2 two\n"
           "threads 4000\n"
           "children out SIGTERM pong\n"
           "cluster worker\n"
           "files 100001 copy,link,renamed\n"
           "computed 721ddd3b true 1000\n"
           "name true true\n"
           "wasm true\n");
  node.check_confined("node", kOfRoot);
  node.stop();
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test

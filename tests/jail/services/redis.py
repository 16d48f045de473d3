# Works with redis in the jail, over TCP and a UNIX socket, and prints what it answered.
import socket, sys

PATH = "/run/redis/redis.sock"


def connected(family, address):
    while True:
        connection = socket.socket(family)
        try:
            connection.connect(address)
            return connection.makefile("rwb")
        except (ConnectionError, FileNotFoundError):  # it is not there yet
            connection.close()


def answer(stream):
    line = stream.readline().rstrip().decode()
    if line[0] == "$":
        return None if line == "$-1" else stream.read(int(line[1:]) + 2)[:-2].decode()
    if line[0] == "*":
        return [answer(stream) for _ in range(int(line[1:]))]
    return int(line[1:]) if line[0] == ":" else line


def ask(stream, *words):
    stream.write(b"*%d\r\n" % len(words))
    for word in words:
        stream.write(b"$%d\r\n%s\r\n" % (len(word), word.encode()))
    stream.flush()
    return answer(stream)


def info(stream, name):
    lines = ask(stream, "INFO", "persistence").splitlines()
    return next(line.split(":")[1] for line in lines if line.startswith(name + ":"))


tcp = connected(socket.AF_INET, ("127.0.0.1", 6379))
while str(ask(tcp, "PING")).startswith("-LOADING"):
    pass
if sys.argv[1:] == ["again"]:
    print("kept:", ask(tcp, "GET", "name"), ask(tcp, "LLEN", "list"), ask(tcp, "GET", "late"))
    sys.exit()

unix = connected(socket.AF_UNIX, PATH)
print("set:", ask(tcp, "SET", "name", "value"), ask(unix, "GET", "name"))
print("lua:", ask(tcp, "EVAL", "for i = 1, 1000 do redis.call('RPUSH', KEYS[1], i) end "
                  "return redis.sha1hex(ARGV[1])", "1", "list", "x"))
print("sorted:", ask(unix, "SORT", "list", "DESC", "LIMIT", "0", "2"))
print("expires:", ask(tcp, "SET", "short", "x", "PX", "1"), ask(tcp, "BLPOP", "none", "0.1"),
      ask(tcp, "GET", "short"))
listener = connected(socket.AF_UNIX, PATH)
ask(listener, "SUBSCRIBE", "news")
print("published:", ask(tcp, "PUBLISH", "news", "hello"), answer(listener))
print("transaction:", ask(tcp, "MULTI"), ask(tcp, "INCR", "n"), ask(tcp, "EXEC"))
print("fork:", ask(tcp, "BGSAVE"))
while info(tcp, "rdb_bgsave_in_progress") != "0":
    pass
print("saved:", info(tcp, "rdb_last_bgsave_status"))
print("fork:", ask(tcp, "BGREWRITEAOF"))
while info(tcp, "aof_rewrite_in_progress") != "0" or info(tcp, "aof_rewrite_scheduled") != "0":
    pass
print("rewritten:", info(tcp, "aof_last_bgrewrite_status"))
print("late:", ask(tcp, "SET", "late", "too"), info(tcp, "aof_last_write_status"))
print("freed by a thread:", ask(tcp, "SET", "big", "x" * 1000000), ask(tcp, "UNLINK", "big"))

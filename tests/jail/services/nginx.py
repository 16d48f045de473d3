# Asks nginx in the jail for what it serves, and prints what came.
import http.client, os, sys


def ask(host, port, method, path, body=None, headers={}):
    while True:
        try:
            connection = http.client.HTTPConnection(host, port)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except ConnectionError:  # it is not there yet, or the worker went with a reload
            pass


def shown(what, answer, body):
    text = body.decode().strip() if len(body) < 100 else f"{len(body)} bytes of {set(body)}"
    print(f"{what}: {answer.status} {text}")


if sys.argv[1:]:  # the generation to wait for: the old workers answer for a while
    while ask("127.0.0.1", 80, "GET", "/index.html")[0].getheader("Generation") != sys.argv[1]:
        pass
    sys.exit()

shown("page", *ask("127.0.0.1", 80, "GET", "/index.html"))
shown("large", *ask("127.0.0.1", 80, "GET", "/large"))
shown("threads", *ask("127.0.0.1", 80, "GET", "/read"))
shown("range", *ask("127.0.0.1", 80, "GET", "/index.html", None, {"Range": "bytes=0-4"}))
packed, _ = ask("127.0.0.1", 80, "GET", "/index.html", None, {"Accept-Encoding": "gzip"})
print("packed:", packed.getheader("Content-Encoding"))
shown("missing", *ask("127.0.0.1", 80, "HEAD", "/nothing"))
shown("proxy", *ask("::1", 81, "GET", "/index.html"))
shown("proxy, large", *ask("::1", 81, "GET", "/large"))
shown("put", *ask("::1", 81, "PUT", "/put/file", b"x" * 100000))
print("stored:", os.path.getsize("/run/nginx/put/file"))
shown("delete", *ask("::1", 81, "DELETE", "/put/file"))
print("left:", os.listdir("/run/nginx/put"))

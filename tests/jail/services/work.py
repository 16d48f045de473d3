# What programs in Python do besides computing: prints what came of each, and waits to be looked at.
import asyncio, concurrent.futures, ctypes, fcntl, hashlib, mmap, multiprocessing, os, pathlib
import secrets, select, shutil, signal, socket, sqlite3, ssl, subprocess, tempfile, threading, time
from multiprocessing import shared_memory

HERE = tempfile.mkdtemp()


def square(number):
    return number * number


def threads():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sum(pool.map(square, range(100)))


def processes(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return sum(pool.map(square, range(100)))


def shared():
    memory = shared_memory.SharedMemory(create=True, size=1 << 20)  # in /dev/shm
    lock, queue = multiprocessing.Lock(), multiprocessing.Queue()

    def write():
        with lock:
            memory.buf[:5] = b"there"
        queue.put(bytes(memory.buf[:5]).decode())

    child = multiprocessing.Process(target=write)
    child.start()
    seen = queue.get()
    child.join()
    memory.close()
    memory.unlink()
    return seen, child.exitcode


def subprocesses():
    done = subprocess.run(["sh", "-c", "read x; echo $x >&2; exit 3"], input=b"in\n",
                          capture_output=True, start_new_session=True)
    return done.returncode, done.stderr, os.waitstatus_to_exitcode(os.system("exit 4"))


def databases():
    path = os.path.join(HERE, "db")
    with sqlite3.connect(path) as db:
        mode = db.execute("pragma journal_mode=wal").fetchone()[0]
        db.execute("create table t (a)")
        db.executemany("insert into t values (?)", ((i,) for i in range(1000)))
    return mode, sqlite3.connect(path).execute("select sum(a) from t").fetchone()[0]


async def echo(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def served():
    tcp = await asyncio.start_server(echo, "127.0.0.1", 0)
    unix = await asyncio.start_unix_server(echo, os.path.join(HERE, "socket"))

    async def ask(opened):
        reader, writer = await opened
        writer.write(b"hello\n")
        answer = await reader.read()
        writer.close()
        return answer

    answers = [await ask(asyncio.open_connection(*tcp.sockets[0].getsockname())),
               await ask(asyncio.open_unix_connection(unix.sockets[0].getsockname()))]
    child = await asyncio.create_subprocess_exec("cat", "/proc/self/comm",
                                                 stdout=asyncio.subprocess.PIPE)
    answers.append((await child.communicate())[0])
    name = await asyncio.get_running_loop().getaddrinfo("localhost", 80, family=socket.AF_INET)
    return *answers, name[0][4][0]


def secured():
    key, certificate = os.path.join(HERE, "key"), os.path.join(HERE, "certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                    certificate, "-subj", "/CN=jail", "-days", "1"], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=certificate)
    client.check_hostname = False
    ours, theirs = socket.socketpair()

    def serve():
        with server.wrap_socket(theirs, server_side=True) as tls:
            tls.sendall(tls.recv(100)[::-1])

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(ours) as tls:
        tls.sendall(b"secret")
        answer = tls.recv(100), tls.version()
        thread.join()
    return answer


def files():
    path = pathlib.Path(HERE, "deep", "file")
    path.parent.mkdir()
    path.write_bytes(b"x" * 100000)
    os.truncate(path, 5)
    os.chmod(path, 0o600)
    os.utime(path, (1, 1))
    os.link(path, path.with_name("linked"))
    os.symlink("file", path.with_name("symbolic"))
    os.rename(path, path.with_name("renamed"))
    shutil.copy2(path.with_name("renamed"), path.with_name("copied"))
    os.mkfifo(path.with_name("fifo"))
    with open(path.with_name("copied"), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
        with mmap.mmap(file.fileno(), 0) as mapped:
            mapped[0] = 0x79
        os.fsync(file.fileno())
        os.sendfile(os.memfd_create("memory"), file.fileno(), 0, 5)
    names = sorted(os.listdir(path.parent))
    seen = path.with_name("copied").read_bytes(), os.stat(path.with_name("renamed")).st_mtime
    shutil.rmtree(path.parent)
    return names, *seen


def events():
    epoll, (here, there) = select.epoll(), socket.socketpair()
    epoll.register(here, select.EPOLLIN)
    signal.signal(signal.SIGALRM, lambda number, frame: there.send(b"!"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    ready = epoll.poll()
    receiver, sender = os.pipe()
    socket.send_fds(there, [b"pipe"], [sender])
    here.recv(1)
    _, passed, _, _ = socket.recv_fds(here, 10, 1)
    os.write(passed[0], b"through")
    return len(ready), os.read(receiver, 10)


def system():
    libc = ctypes.CDLL(None, use_errno=True)
    return (len(secrets.token_bytes(16)), hashlib.sha256(b"").hexdigest()[:8], libc.getpid() == os.getpid(),
            len(os.sched_getaffinity(0)) > 0, min(19, os.nice(0) + 1) == os.nice(1),
            time.clock_gettime(time.CLOCK_BOOTTIME) > 0)


if __name__ == "__main__":
    print("threads", threads())
    print("fork", processes("fork"), "spawn", processes("spawn"), "server", processes("forkserver"))
    print("shared", *shared())
    print("subprocess", *subprocesses())
    print("sqlite", *databases())
    print("asyncio", *asyncio.run(served()))
    print("ssl", *secured())
    print("files", *files())
    print("events", *events())
    print("system", *system())
    print("ready", flush=True)
    signal.pause()

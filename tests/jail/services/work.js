// What programs in node do: prints what came of each, and stays to be looked at.
const assert = require("node:assert");
const crypto = require("node:crypto");
const dns = require("node:dns/promises");
const { once } = require("node:events");
const fs = require("node:fs/promises");
const http = require("node:http");
const http2 = require("node:http2");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { execFile, fork, spawnSync } = require("node:child_process");
const { promisify } = require("node:util");
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const zlib = require("node:zlib");
const cluster = require("node:cluster");

async function text(stream) {
  let all = "";
  for await (const part of stream) all += part;
  return all;
}

function get(options) {
  return new Promise((resolve, reject) =>
    http.get(options, (answer) => resolve(text(answer))).on("error", reject));
}

async function served() {
  const server = http.createServer(async (request, answer) => answer.end(request.url.toUpperCase()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  const answers = await Promise.all([...Array(50).keys()].map((i) => get({ port, host: "127.0.0.1", path: `/n${i}` })));
  server.close();
  return `${answers.length} ${answers[49]} ${await get_over_unix()}`;
}

async function get_over_unix() {
  const socketPath = path.join(os.tmpdir(), "http.sock");
  const server = http.createServer((request, answer) => answer.end("unix"));
  await once(server.listen(socketPath), "listening");
  const answer = await get({ socketPath, path: "/" });
  server.close();
  return answer;
}

async function streams() {
  const server = http2.createServer();
  server.on("stream", (stream) => stream.end("two"));
  await once(server.listen(0, "localhost"), "listening");
  const session = http2.connect(`http://localhost:${server.address().port}`);
  const answer = await text(session.request({ ":path": "/" }));
  session.close();
  server.close();
  return answer;
}

async function threads() {
  const memory = new SharedArrayBuffer(4);
  const workers = [1, 2, 3, 4].map(() => new Worker(__filename));
  for (const worker of workers) worker.postMessage(memory);
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  return Atomics.load(new Int32Array(memory), 0);
}

async function children() {
  const { stdout } = await promisify(execFile)("sh", ["-c", "echo out"]);
  const ended = spawnSync("sh", ["-c", "kill -TERM $$"]);
  const child = fork(__filename, ["child"]);
  child.send("ping");
  const [answer] = await once(child, "message");
  await once(child, "exit");
  return `${stdout.trim()} ${ended.signal} ${answer}`;
}

async function clustered() {
  cluster.setupPrimary({ args: ["cluster"] });
  const worker = cluster.fork();
  const [address] = await once(worker, "listening");
  const answer = await get({ port: address.port, host: "127.0.0.1", path: "/" });
  worker.kill();
  await once(worker, "exit");
  return answer;
}

async function files() {
  const here = await fs.mkdtemp(path.join(os.tmpdir(), "work-"));
  const file = path.join(here, "file");
  await fs.writeFile(file, "x".repeat(100000));
  await fs.appendFile(file, "y");
  await fs.copyFile(file, path.join(here, "copy"));
  await fs.symlink("file", path.join(here, "link"));
  await fs.chmod(file, 0o600);
  const watcher = fs.watch(here)[Symbol.asyncIterator]();
  const changed = watcher.next();
  await fs.rename(file, path.join(here, "renamed"));
  await changed;
  await watcher.return();
  const seen = [(await fs.stat(path.join(here, "renamed"))).size, (await fs.readdir(here)).sort()];
  await fs.rm(here, { recursive: true });
  return seen.join(" ");
}

async function computed() {
  const derived = await promisify(crypto.scrypt)("word", "salt", 16); // by a thread of libuv's
  const { publicKey, privateKey } = await promisify(crypto.generateKeyPair)("ed25519");
  const signed = crypto.verify(null, derived, publicKey, crypto.sign(null, derived, privateKey));
  const packed = await promisify(zlib.brotliCompress)("a".repeat(1000));
  return `${derived.toString("hex").slice(0, 8)} ${signed} ${zlib.brotliDecompressSync(packed).length}`;
}

async function main() {
  console.log("http", await served());
  console.log("http2", await streams());
  console.log("threads", await threads());
  console.log("children", await children());
  console.log("cluster", await clustered());
  console.log("files", await files());
  console.log("computed", await computed());
  console.log("name", (await dns.lookup("localhost")).address.length > 0, os.cpus().length > 0);
  const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]); // pages that are executed
  console.log("wasm", (await WebAssembly.instantiate(wasm)).instance !== undefined);
  assert(os.freemem() > 0);
  console.log("ready");
  net.createServer().listen(0, "127.0.0.1"); // for as long as nobody ends it
}

if (!isMainThread) {
  parentPort.once("message", (memory) => {
    for (let i = 0; i < 1000; ++i) Atomics.add(new Int32Array(memory), 0, 1);
  });
} else if (process.argv[2] === "child") {
  process.once("message", (word) => process.send(word.replace("i", "o"), () => process.disconnect()));
} else if (process.argv[2] === "cluster") {
  http.createServer((request, answer) => answer.end("worker")).listen(0, "127.0.0.1");
} else {
  main();
}

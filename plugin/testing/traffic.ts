import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** TCP and UDP server for network namespaces; each response is the client's address. */

const SERVER = `
const [port] = process.argv.slice(1).map(Number);
const plain = (address) => address.replace(/^::ffff:/, "");
require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (data) => socket.write(data.length > 100 ? data : plain(socket.remoteAddress) + "\\n"));
}).listen(port, "::");
const udp = require("node:dgram").createSocket("udp6");
udp.on("message", (_, from) => udp.send(plain(from.address) + "\\n", from.port, from.address));
udp.bind(port, "::", () => process.stdout.write("ready\\n"));
`;

/** Client that sends one request. With TCP it sends 20 kB that must come back, with UDP it ignores responses from other addresses. */
const CLIENT = `
const [protocol, host, port, source, idle, bytes] = process.argv.slice(1);
const end = (text) => { process.stdout.write(text); process.exit(0); };
setTimeout(() => process.exit(1), 2500 + Number(idle));
if (protocol === "udp") {
  const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("message", (data, from) => from.address === host && end(data.toString().trim()));
  socket.bind(0, source || undefined, () => {
    const send = () => socket.send("?".repeat(Number(bytes)), Number(port), host);
    send();
    setInterval(send, 700);
  });
} else {
  const socket = require("node:net").connect({ host, port: Number(port), ...(source ? { localAddress: source } : {}) });
  let seen = "", echoed = 0, rounds = idle === "0" ? 1 : 2;
  const more = () => { echoed = 0; socket.write(Buffer.alloc(20000, 97)); };
  socket.on("error", () => process.exit(1));
  socket.on("connect", () => socket.write("?"));
  socket.on("data", (data) => {
    if (seen === "") { seen = data.toString().trim(); more(); }
    else if ((echoed += data.length) >= 20000) --rounds === 0 ? end(seen) : setTimeout(more, Number(idle));
  });
}
`;

const spawnNode = (namespace: string, program: string, args: readonly string[]): string[] => [
  "netns",
  "exec",
  namespace,
  process.execPath,
  "-e",
  program,
  "--",
  ...args,
];

/** Starts a server of both protocols and families; ends with `process.kill`. */
export function startTestServer(namespace: string, port: number): Promise<ChildProcess> {
  const child = spawn("ip", spawnNode(namespace, SERVER, [String(port)]), { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.stdout.once("data", () => {
      resolve(child);
    });
    child.once("exit", () => {
      reject(new Error(`the server in ${namespace} ended before it listened`));
    });
  });
}

interface RequestOptions {
  readonly protocol?: "tcp" | "udp";
  readonly source?: string;
  /** TCP only: sends a second request on the same connection after this time, in milliseconds. */
  readonly idleMs?: number;
  /** UDP only: length of the datagram. */
  readonly bytes?: number;
}

/** The source address that the server saw; undefined where no complete answer came within 2.5 s (and `idleMs`). */
export function sendRequest(
  namespace: string,
  host: string,
  port: number,
  { protocol = "tcp", source = "", idleMs = 0, bytes = 1 }: RequestOptions = {},
): string | undefined {
  const { status, stdout } = spawnSync(
    "ip",
    spawnNode(namespace, CLIENT, [protocol, host, String(port), source, String(idleMs), String(bytes)]),
    {
      encoding: "utf8",
    },
  );
  return status === 0 ? stdout : undefined;
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { execInNetns } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const POD = "10.7.200.1";
const GATEWAY = "10.7.168.72";
/** The server answers this alone. */
const QUESTION = "question";
/** More than a set of the kernel holds. */
const FLOOD = 66_500;

const SERVER = `
const server = require("node:dgram").createSocket("udp4");
server.on("message", (text, { address, port }) => {
  if (String(text) === "${QUESTION}") server.send("answer", port, address);
});
server.bind(53, () => console.log("ready"));
`;
const CLIENT = `
const [address, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", () => process.exit(0));
socket.bind(Number(port), address, () => {
  const ask = () => socket.send("${QUESTION}", 53, "${POD}");
  ask();
  setInterval(ask, 300);
  setTimeout(() => process.exit(1), 2000);
});
`;
const SENDER = `
const { createSocket } = require("node:dgram");
const sendFrom = (address, port) => new Promise((resolve) => {
  const socket = createSocket("udp4");
  socket.bind(port, address, () => socket.send("x", 53, "${POD}", () => socket.close(resolve)));
});
(async () => {
  let sent = 0;
  for (const address of process.argv.slice(1))
    for (let port = 1024; port < 65000 && sent < ${FLOOD}; port += 50, sent += 50)
      await Promise.all(Array.from({ length: 50 }, (_, index) => sendFrom(address, port + index)));
})();
`;

describe("UDP replies by veth0", function () {
  this.timeout(180_000);
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  net.useNode("n2", GATEWAY);
  const pod = net.usePod("u");
  let server: ChildProcess;

  before(async () => {
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "10.233.64.9"])
      execInNetns(node.name, "ip", "address", "add", `${address}/32`, "dev", "lo");
    net.attach(node, pod, "eth0", `${POD}/16`, GATEWAY);
    server = spawn("ip", ["netns", "exec", pod.namespace, process.execPath, "-e", SERVER]);
    await new Promise((resolve) => server.stdout?.once("data", resolve));
  });
  net.useCleanup(() => {
    server.kill("SIGKILL");
  });

  const run = (program: string, ...argv: readonly string[]): number | null =>
    spawnSync("ip", ["netns", "exec", node.name, process.execPath, "-e", program, ...argv]).status;
  const elements = (set: string): number => {
    const argv = ["netns", "exec", pod.namespace, "nft", "list", "set", "inet", "interlay", set];
    const { status, stdout } = spawnSync("ip", argv, { encoding: "utf8", maxBuffer: 1 << 26 });
    assert.equal(status, 0, `nft does not list ${set}`);
    return stdout.match(/expires/g)?.length ?? 0;
  };

  it("should reach a client that the pod would otherwise answer by eth0", () => {
    assert.equal(run(CLIENT, "192.0.2.1", "7777"), 0);
    assert.equal(elements("clients-ipv4"), 1);
  });

  it("should not store a client in a network that is routed by veth0, and reach it", () => {
    const initial = elements("clients-ipv4");
    assert.equal(run(CLIENT, "10.233.64.9", "7777"), 0);
    assert.equal(run(CLIENT, node.address, "7777"), 0);
    assert.equal(elements("clients-ipv4"), initial);
  });

  it("should reach the sender if the pod's sockets have marks of their own", () => {
    const rules = execInNetns(pod.namespace, "ip", "rule");
    assert.match(rules, /fwmark 0x20000000\/0x20000000 lookup 500/);
    const route = execInNetns(pod.namespace, "ip", "route", "get", "192.0.2.1", "mark", "0x20000539");
    assert.match(route, /dev veth0 /, "a mark that others set hides ours");
    assert.match(execInNetns(pod.namespace, "ip", "route", "get", "192.0.2.1", "mark", "0x539"), /dev eth0 /);
  });

  it("should reach known and new clients after 66,500 datagrams from different ports", () => {
    assert.equal(run(CLIENT, "192.0.2.1", "900"), 0);
    run(SENDER, "192.0.2.1", "192.0.2.2");
    assert.ok(elements("clients-ipv4") >= 65_000, `only ${elements("clients-ipv4")} clients: the set is not full`);
    assert.equal(run(CLIENT, "192.0.2.3", "7777"), 0, "a new client gets no answer");
    assert.equal(run(CLIENT, "192.0.2.1", "900"), 0, "a known client gets no answer");
    assert.ok(elements("addresses-ipv4") <= 3, `${elements("addresses-ipv4")} addresses of three hosts are kept`);
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import type { AddressType, HookContext } from "../trace/hook.ts";
import type { Packet } from "../trace/packet.ts";
import { execInNetns, execLocally } from "./exec.ts";
import { createLookups, createPacket } from "./trace-rules.ts";

/** A router between two hosts, whose counters show which rules a packet matched. */
const ROUTER = `nf-router-${process.pid}`;
const CLIENT = `nf-client-${process.pid}`;
const SERVER = `nf-server-${process.pid}`;
const CLIENT_LINK = "to-client";
const SERVER_LINK = "to-server";

const ROUTER_ADDRESSES = ["10.91.1.1", "10.91.2.1", "fd91:1::1", "fd91:2::1"];

function findAddressType(address: string): AddressType {
  return ROUTER_ADDRESSES.includes(address) ? "local" : "unicast";
}

/** Lookups in the router's namespace. */
export const ROUTER_LOOKUPS: HookContext = createLookups({
  findAddressType: ({ address }) => findAddressType(address),
  findRouteLink: ({ address }) => (/^(10\.91\.1\.|fd91:1::)/.test(address) ? CLIENT_LINK : SERVER_LINK),
});

/** Two packets through the router: a request and what answers it. */
export interface Exchange {
  readonly name: string;
  /** Sends the request and waits for the answer. */
  readonly send: () => void;
  readonly request: Packet;
  readonly reply: Packet;
}

/** Echoes datagrams to port 53. */
const ECHO_SERVER = `const socket = require("node:dgram").createSocket("udp6");
socket.on("message", (data, from) => socket.send(data, from.port, from.address));
socket.bind(53, "::", () => process.stdout.write("ready"));`;
const ECHO_CLIENT = `const [host, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
socket.bind(Number(port), () => socket.send("?".repeat(32), 53, host));
socket.on("message", () => process.exit(0));
setTimeout(() => process.exit(1), 2000);`;
/** Asks a closed port: one SYN, which a reset answers. */
const CONNECT_CLIENT = `const [host, port] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port: 80, localPort: Number(port) });
socket.on("error", () => process.exit(0));
socket.on("connect", () => process.exit(1));`;

function runClient(program: string, host: string, port: number): void {
  execInNetns(CLIENT, process.execPath, "-e", program, "--", host, String(port));
}

const SERVER_HOSTS = { ipv4: "10.91.2.2", ipv6: "fd91:2::2" };

/** Bytes of an IPv6 header more than of an IPv4 one. */
const LONGER_HEADER = 20;

/** Every exchange has a port of its own: conntrack would know the second one with the same port. */
let nextPort = 20_000;

/** Creates the exchanges of a family: a datagram, a ping and a refused connection. */
export function createExchanges(family: "ipv4" | "ipv6"): readonly Exchange[] {
  const host = SERVER_HOSTS[family];
  const source = family === "ipv4" ? "10.91.1.2" : "fd91:1::2";
  const extraBytes = family === "ipv4" ? 0 : LONGER_HEADER;
  const [echoRequest, echoReply] = family === "ipv4" ? [8, 0] : [128, 129];
  const common = { family, source, destination: host };
  const noPorts = { sourcePort: 0, destinationPort: 0, icmpCode: 0 };
  return [
    createExchange(
      `a datagram of ${family}`,
      (port) => {
        runClient(ECHO_CLIENT, host, port);
      },
      { ...common, protocol: "udp", sourcePort: nextPort++, destinationPort: 53, length: 60 + extraBytes },
      {},
    ),
    createExchange(
      `a ping of ${family}`,
      () => execInNetns(CLIENT, "ping", "-c1", "-W2", "-s56", host),
      { ...common, ...noPorts, protocol: "icmp", icmpType: echoRequest, length: 84 + extraBytes },
      { icmpType: echoReply },
    ),
    createExchange(
      `a refused connection of ${family}`,
      (port) => {
        runClient(CONNECT_CLIENT, host, port);
      },
      {
        ...common,
        protocol: "tcp",
        sourcePort: nextPort++,
        destinationPort: 80,
        length: 60 + extraBytes,
        tcpFlags: ["syn"],
      },
      { length: 40 + extraBytes, tcpFlags: ["rst", "ack"] },
    ),
  ];
}

function createExchange(
  name: string,
  send: (port: number) => void,
  fields: Partial<Packet>,
  replyFields: Partial<Packet>,
): Exchange {
  const base = createPacket({ ...fields, ttl: 63, inLink: CLIENT_LINK, outLink: SERVER_LINK });
  const { source, destination, sourcePort, destinationPort, tcpFlags, ...others } = base;
  const originalTuple = { source, destination, sourcePort, destinationPort };
  const withoutFlags = others.protocol === "tcp" ? { tcpFlags: tcpFlags ?? [] } : {};
  return {
    name,
    send: () => {
      send(sourcePort);
    },
    request: { ...base, originalTuple },
    reply: {
      ...others,
      ...withoutFlags,
      source: destination,
      destination: source,
      sourcePort: destinationPort,
      destinationPort: sourcePort,
      inLink: SERVER_LINK,
      outLink: CLIENT_LINK,
      conntrackState: "established",
      direction: "reply",
      originalTuple,
      ...replyFields,
    },
  };
}

/** Runs a program in the router's namespace. */
export function execInRouter(...argv: readonly string[]): string {
  return execInNetns(ROUTER, ...argv);
}

/** Loads the input of a program in the router's namespace. */
export function loadInRouter(argv: readonly string[], input: string): void {
  execLocally(["ip", "netns", "exec", ROUTER, ...argv], input);
}

let server: ChildProcess | undefined;

/** Creates the namespaces and starts the server. */
export async function createRouter(): Promise<void> {
  for (const name of [ROUTER, CLIENT, SERVER]) execLocally(["ip", "netns", "add", name]);
  const hosts = [
    { host: CLIENT, link: CLIENT_LINK, network: 1 },
    { host: SERVER, link: SERVER_LINK, network: 2 },
  ];
  for (const { host, link, network } of hosts) {
    execInNetns(ROUTER, "ip", "link", "add", "name", link, "type", "veth", "peer", "name", "eth0", "netns", host);
    const sides = [
      { namespace: ROUTER, device: link, number: 1 },
      { namespace: host, device: "eth0", number: 2 },
    ];
    for (const { namespace, device, number } of sides) {
      execInNetns(namespace, "ip", "addr", "add", `10.91.${network}.${number}/24`, "dev", device);
      execInNetns(namespace, "ip", "addr", "add", `fd91:${network}::${number}/64`, "dev", device, "nodad");
      execInNetns(namespace, "ip", "link", "set", device, "up");
    }
    execInNetns(host, "ip", "link", "set", "lo", "up");
    execInNetns(host, "ip", "route", "add", "default", "via", `10.91.${network}.1`);
    execInNetns(host, "ip", "-6", "route", "add", "default", "via", `fd91:${network}::1`);
  }
  execInRouter("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  const started = spawn("ip", ["netns", "exec", SERVER, process.execPath, "-e", ECHO_SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  server = started;
  await new Promise((resolve) => started.stdout.once("data", resolve));
  // The first packet of an exchange must not wait for a neighbour: ping repeats itself until one answer or ten seconds.
  for (const host of Object.values(SERVER_HOSTS)) execInNetns(CLIENT, "ping", "-c1", "-w10", host);
}

/** Ends the server and deletes the namespaces. */
export function deleteRouter(): void {
  server?.kill();
  for (const name of [ROUTER, CLIENT, SERVER]) execLocally(["ip", "netns", "del", name]);
}

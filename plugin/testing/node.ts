import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIp } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { makeFacts } from "./make-facts.ts";
import { execInNetns, runIp } from "./exec.ts";
import {
  buildInvocation,
  type CallArguments,
  type CallResult,
  type Invocation,
  type Plugins,
  type TestNode,
  type TestPod,
} from "./invocation.ts";
import { PERMANENT_STATE } from "./restorable-state.ts";

let counter = 0;

interface StaticAddress {
  readonly address: string;
  readonly gateway?: string;
}

/** Network namespaces for tests: a switch, nodes, and pods that real plugins attach. Needs root. */
export class TestNet {
  readonly #prefix = `il${process.pid % 10_000}-${counter++}`;
  readonly #directory = mkdtempSync(join(tmpdir(), "interlay-netns-"));
  readonly #namespaces: string[] = [];
  readonly #plugins: Plugins;
  readonly #switch: string;

  constructor(plugins: Plugins) {
    this.#plugins = plugins;
    this.#switch = this.#namespace("sw");
    runIp("-n", this.#switch, "link", "add", "name", "br0", "type", "bridge");
    runIp("-n", this.#switch, "link", "set", "br0", "up");
  }

  /** Creates a node with eth0 on the switch, and its facts. With `address6` it is dual-stack. */
  node(name: string, address: string, facts: Partial<Facts> = {}, address6?: string): TestNode {
    const namespace = this.#namespace(name);
    const port = `p-${name}`;
    runIp("-n", this.#switch, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    runIp("-n", this.#switch, "link", "set", port, "master", "br0", "up");
    runIp("-n", namespace, "address", "add", `${address}/16`, "dev", "eth0");
    runIp("-n", namespace, "link", "set", "eth0", "up");
    execInNetns(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const directory = (suffix: string): string => join(this.#directory, `${name}${suffix}`);
    const [stateDirectory, runDirectory, binDirectory] = [directory(""), directory("-run"), directory("-bin")];
    for (const path of [stateDirectory, runDirectory, binDirectory]) mkdirSync(path, { recursive: true });
    if (address6 !== undefined) {
      execInNetns(namespace, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
      runIp("-n", namespace, "address", "add", `${address6}/64`, "dev", "eth0", "nodad");
    }
    const addresses = [address, ...(address6 === undefined ? [] : [address6])].map(parseIp);
    writeFileSync(
      join(stateDirectory, "facts.json"),
      JSON.stringify(makeFacts({ node: { name, addresses, otherAddresses: [] }, ...facts })),
    );
    const socket = join(runDirectory, "cni.sock");
    return { name: namespace, address, stateDirectory, runDirectory, socket, binDirectory };
  }

  pod(name: string): TestPod {
    const namespace = this.#namespace(name);
    return { namespace, netns: `/var/run/netns/${namespace}`, containerId: `${this.#prefix}-${name}` };
  }

  /** Builds a plugin call as a runtime makes it, for the node's namespace. */
  invocation(...call: CallArguments): Invocation {
    return buildInvocation(this.#plugins, ...call);
  }

  /** Calls a plugin in the node's namespace and waits for it. */
  call(...what: CallArguments): CallResult {
    const [plugin, command, node] = what;
    const { executable, env, input } = this.invocation(...what);
    const { status, signal, stdout, stderr, error } = spawnSync("ip", ["netns", "exec", node.name, executable], {
      env,
      input,
      encoding: "utf8",
    });
    const isKilledByFault = what[6] !== undefined && signal === "SIGKILL";
    if (status === null && !isKilledByFault)
      throw new Error(`${plugin} ${command} ended by ${signal ?? String(error)}: ${stdout} ${stderr}`);
    if (status !== 0 && status !== null && stdout === "" && stderr !== "")
      throw new Error(`${plugin} ${command} said nothing on stdout: ${stderr}`);
    return { status: status ?? -1, json: stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  /** Starts a call without waiting for its end. */
  start(...what: CallArguments): ChildProcess {
    const { executable, env, input } = this.invocation(...what);
    const argv = ["netns", "exec", what[2].name, executable];
    const child = spawn("ip", argv, { env, stdio: ["pipe", "ignore", "inherit"] });
    child.stdin.end(input);
    return child;
  }

  /** Deletes the pod's namespace with its links, as a runtime does. */
  removePod({ namespace }: TestPod): void {
    runIp("netns", "delete", namespace);
    this.#namespaces.splice(this.#namespaces.indexOf(namespace), 1);
  }

  /** Runs ADD of the reference macvlan plugin with a static address, then of interlay. */
  attach(node: TestNode, pod: TestPod, ifname: string, address: string, gateway?: string): CallResult {
    return this.attachAll(node, pod, ifname, [{ address, ...(gateway === undefined ? {} : { gateway }) }]);
  }

  /** Runs ADD as `attach` does, with several addresses and options of interlay. */
  attachAll(
    node: TestNode,
    pod: TestPod,
    ifname: string,
    addresses: readonly StaticAddress[],
    options: Readonly<Record<string, unknown>> = {},
  ): CallResult {
    return this.call("interlay", "ADD", node, pod, ifname, {
      ...options,
      prevResult: this.macvlan(node, pod, ifname, addresses),
    });
  }

  /** Runs the reference macvlan plugin with static addresses; eth0 gets default routes, as with interlay-ipam. */
  macvlan(
    node: TestNode,
    pod: TestPod,
    ifname: string,
    addresses: readonly StaticAddress[],
  ): Readonly<Record<string, unknown>> {
    const routes = addresses.flatMap(({ address, gateway }) =>
      gateway === undefined || ifname !== "eth0"
        ? []
        : [{ dst: address.includes(":") ? "::/0" : "0.0.0.0/0", gw: gateway }],
    );
    const ipam = { type: "static", addresses, routes };
    const { status, json } = this.call("macvlan", "ADD", node, pod, ifname, { master: "eth0", mode: "bridge", ipam });
    if (status !== 0) throw new Error(`macvlan ADD: ${JSON.stringify(json)}`);
    return json;
  }

  /** Attaches the pod like Calico: a pair with a /32 address, gateway 169.254.1.1, proxy ARP and a route on the node. */
  overlay(node: TestNode, pod: TestPod, address: string, address6?: string): void {
    const nodeEnd = `cali${pod.containerId.replaceAll(/[^a-z0-9]/g, "").slice(-10)}`;
    runIp(
      "-n",
      node.name,
      "link",
      "add",
      "name",
      nodeEnd,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      pod.namespace,
    );
    runIp("-n", node.name, "link", "set", nodeEnd, "up");
    execInNetns(node.name, "sysctl", "-qw", `net.ipv4.conf.${nodeEnd}.proxy_arp=1`);
    runIp("-n", node.name, "route", "add", `${address}/32`, "dev", nodeEnd);
    runIp("-n", pod.namespace, "address", "add", `${address}/32`, "dev", "eth0");
    runIp("-n", pod.namespace, "link", "set", "eth0", "up");
    runIp("-n", pod.namespace, "route", "add", "169.254.1.1", "dev", "eth0");
    runIp("-n", pod.namespace, "route", "add", "default", "via", "169.254.1.1", "dev", "eth0");
    execInNetns(node.name, "sysctl", "-qw", `net.ipv4.neigh.${nodeEnd}.proxy_delay=0`);
    if (address6 === undefined) return;
    // Calico's IPv6 gateway is the link-local address of the node's end; here it is set, not derived from a MAC
    runIp("-n", node.name, "address", "add", "fe80::1/64", "dev", nodeEnd, "nodad");
    runIp("-n", node.name, "route", "add", `${address6}/128`, "dev", nodeEnd);
    runIp("-n", pod.namespace, "address", "add", `${address6}/128`, "dev", "eth0", "nodad");
    runIp("-n", pod.namespace, "route", "add", "default", "via", "fe80::1", "dev", "eth0");
  }

  close(): void {
    for (const namespace of this.#namespaces.reverse()) spawnSync("ip", ["netns", "delete", namespace]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #namespace(name: string): string {
    const namespace = `${this.#prefix}-${name}`;
    runIp("netns", "add", namespace);
    runIp("-n", namespace, "link", "set", "lo", "up");
    this.#namespaces.push(namespace);
    return namespace;
  }
}

/** Reads a node's links, routes, rules and permanent neighbours. */
export function readPermanentState(node: TestNode): readonly string[] {
  return PERMANENT_STATE.flatMap((look) => look.parseLines(execInNetns(node.name, ...look.argv)));
}

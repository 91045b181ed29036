import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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
import { getBaseDirectory } from "./use-directory.ts";

let counter = 0;

interface StaticAddress {
  readonly address: string;
  readonly gateway?: string;
}

/** Network namespaces for tests: a switch, nodes, and pods that real plugins attach. Needs root. */
export class TestNet {
  readonly #prefix = `il${process.pid % 10_000}-${counter++}`;
  readonly #directory = join(getBaseDirectory(), this.#prefix);
  readonly #namespaces: string[] = [];
  readonly plugins: Plugins;
  readonly #switch = this.#buildName("sw");

  constructor(plugins: Plugins) {
    this.plugins = plugins;
  }

  /** Creates the switch. */
  open(): this {
    this.#addNamespace(this.#switch);
    runIp("-n", this.#switch, "link", "add", "name", "br0", "type", "bridge");
    runIp("-n", this.#switch, "link", "set", "br0", "up");
    return this;
  }

  /** Creates a node with eth0 on the switch, and its facts. With `address6` it is dual-stack. */
  node(name: string, address: string, facts: Partial<Facts> = {}, address6?: string): TestNode {
    const node = this.describeNode(name, address);
    const namespace = node.name;
    this.#addNamespace(namespace);
    const port = `p-${name}`;
    runIp("-n", this.#switch, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    runIp("-n", this.#switch, "link", "set", port, "master", "br0", "up");
    runIp("-n", namespace, "address", "add", `${address}/16`, "dev", "eth0");
    runIp("-n", namespace, "link", "set", "eth0", "up");
    execInNetns(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    for (const path of [node.stateDirectory, node.runDirectory, node.binDirectory])
      mkdirSync(path, { recursive: true });
    if (address6 !== undefined) {
      execInNetns(namespace, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
      runIp("-n", namespace, "address", "add", `${address6}/64`, "dev", "eth0", "nodad");
    }
    const addresses = [address, ...(address6 === undefined ? [] : [address6])].map(parseIp);
    writeFileSync(
      join(node.stateDirectory, "facts.json"),
      JSON.stringify(makeFacts({ node: { name, addresses, otherAddresses: [] }, ...facts })),
    );
    return node;
  }

  /** Creates a pod without links. */
  pod(name: string): TestPod {
    const pod = this.describePod(name);
    this.#addNamespace(pod.namespace);
    return pod;
  }

  /** Returns a node's names and paths without creating it. */
  describeNode(name: string, address: string): TestNode {
    const stateDirectory = join(this.#directory, name);
    const runDirectory = `${stateDirectory}-run`;
    const socket = join(runDirectory, "cni.sock");
    return {
      name: this.#buildName(name),
      address,
      stateDirectory,
      runDirectory,
      socket,
      binDirectory: `${stateDirectory}-bin`,
    };
  }

  /** Returns a pod's names without creating it. */
  describePod(name: string): TestPod {
    const namespace = this.#buildName(name);
    return { namespace, netns: `/var/run/netns/${namespace}`, containerId: namespace };
  }

  /** Builds a plugin call as a runtime makes it, for the node's namespace. */
  invocation(...call: CallArguments): Invocation {
    return buildInvocation(this.plugins, ...call);
  }

  /**
   * Calls a plugin in the node's namespace and waits for it.
   * @returns what the plugin wrote
   * @throws if the call fails
   */
  call(...callArguments: CallArguments): CallResult["json"] {
    const { status, json } = this.tryCall(...callArguments);
    if (status !== 0)
      throw new Error(`${callArguments[0]} ${callArguments[1]} ended with ${status}: ${JSON.stringify(json)}`);
    return json;
  }

  /** Calls a plugin as `call` does, and returns its failure too. */
  tryCall(...callArguments: CallArguments): CallResult {
    const [plugin, command, node] = callArguments;
    const { executable, env, input } = this.invocation(...callArguments);
    const { status, signal, stdout, stderr, error } = spawnSync("ip", ["netns", "exec", node.name, executable], {
      env,
      input,
      encoding: "utf8",
    });
    const isKilledByFault = callArguments[6] !== undefined && signal === "SIGKILL";
    if (status === null && !isKilledByFault)
      throw new Error(`${plugin} ${command} ended by ${signal ?? String(error)}: ${stdout} ${stderr}`);
    if (status !== 0 && status !== null && stdout === "" && stderr !== "")
      throw new Error(`${plugin} ${command} said nothing on stdout: ${stderr}`);
    return { status: status ?? -1, json: stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  /** Starts a call without waiting for its end. */
  start(...callArguments: CallArguments): ChildProcess {
    const { executable, env, input } = this.invocation(...callArguments);
    const argv = ["netns", "exec", callArguments[2].name, executable];
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
  attach(node: TestNode, pod: TestPod, ifname: string, address: string, gateway?: string): CallResult["json"] {
    return this.attachAll(node, pod, ifname, [{ address, ...(gateway === undefined ? {} : { gateway }) }]);
  }

  /** Runs ADD as `attach` does, with several addresses and options of interlay. */
  attachAll(
    node: TestNode,
    pod: TestPod,
    ifname: string,
    addresses: readonly StaticAddress[],
    options: Readonly<Record<string, unknown>> = {},
  ): CallResult["json"] {
    return this.call("interlay", "ADD", node, pod, ifname, {
      ...options,
      prevResult: this.macvlan(node, pod, ifname, addresses),
    });
  }

  /** Runs the reference macvlan plugin with static addresses; eth0 gets default routes, as with interlay-ipam. */
  macvlan(node: TestNode, pod: TestPod, ifname: string, addresses: readonly StaticAddress[]): CallResult["json"] {
    const routes = addresses.flatMap(({ address, gateway }) =>
      gateway === undefined || ifname !== "eth0"
        ? []
        : [{ dst: address.includes(":") ? "::/0" : "0.0.0.0/0", gw: gateway }],
    );
    const ipam = { type: "static", addresses, routes };
    return this.call("macvlan", "ADD", node, pod, ifname, { master: "eth0", mode: "bridge", ipam });
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

  /** Removes every namespace and file. */
  close(): void {
    for (const namespace of this.#namespaces.splice(0).reverse()) spawnSync("ip", ["netns", "delete", namespace]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #buildName(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  #addNamespace(namespace: string): void {
    runIp("netns", "add", namespace);
    this.#namespaces.push(namespace);
    runIp("-n", namespace, "link", "set", "lo", "up");
  }
}

/** Reads a node's links, routes, rules and permanent neighbours. */
export function readPermanentState(node: TestNode): readonly string[] {
  return PERMANENT_STATE.flatMap((command) => command.parseLines(execInNetns(node.name, ...command.argv)));
}

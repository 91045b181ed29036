import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Facts, FACTS_SCHEMA } from "../datapath/facts.ts";
import { parseCidr, parseIp } from "../datapath/address.ts";

/** Real network namespaces for tests: a switch, nodes on it, pods in them, wired by real plugins. Needs root. */

/** Runs a program; throws with its words. */
export function must(argv: readonly string[], input = ""): string {
  const [file = "", ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(file, rest, { input, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`\`${argv.join(" ")}\` ended with ${String(status)}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

const ip = (...argv: readonly string[]): string => must(["ip", ...argv]);
/** As `ip netns exec`, which needs no shell. */
export const inside = (namespace: string, ...argv: readonly string[]): string =>
  must(["ip", "netns", "exec", namespace, ...argv]);

let counter = 0;

/** What a plugin call came back with. */
export interface CallResult {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface TestNode {
  readonly name: string;
  readonly address: string;
  readonly stateDirectory: string;
}

export interface TestPod {
  readonly namespace: string;
  readonly netns: string;
  readonly containerId: string;
}

/** Where the two kinds of executables are: by the environment, for this room knows nothing of components. */
export interface Plugins {
  readonly interlay: string;
  /** Directory of the reference plugins. */
  readonly reference: string;
}

export class TestNet {
  readonly #prefix = `il${process.pid % 10_000}-${counter++}`;
  readonly #directory = mkdtempSync(join(tmpdir(), "interlay-netns-"));
  readonly #namespaces: string[] = [];
  readonly #plugins: Plugins;
  readonly #switch: string;

  constructor(plugins: Plugins) {
    this.#plugins = plugins;
    this.#switch = this.#namespace("sw");
    ip("-n", this.#switch, "link", "add", "name", "br0", "type", "bridge");
    ip("-n", this.#switch, "link", "set", "br0", "up");
  }

  /** A node with eth0 on the switch, and facts that name it. */
  node(name: string, address: string, facts: Partial<Facts> = {}): TestNode {
    const namespace = this.#namespace(name);
    const port = `p-${name}`;
    ip("-n", this.#switch, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("-n", this.#switch, "link", "set", port, "master", "br0", "up");
    ip("-n", namespace, "address", "add", `${address}/16`, "dev", "eth0");
    ip("-n", namespace, "link", "set", "eth0", "up");
    inside(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const stateDirectory = join(this.#directory, name);
    mkdirSync(stateDirectory, { recursive: true });
    writeFileSync(join(stateDirectory, "facts.json"), JSON.stringify({ ...defaultFacts(name, address), ...facts }));
    return { name: namespace, address, stateDirectory };
  }

  pod(name: string): TestPod {
    const namespace = this.#namespace(name);
    return { namespace, netns: `/var/run/netns/${namespace}`, containerId: `${this.#prefix}-${name}` };
  }

  /** Calls a plugin in the node's namespace, as a runtime would. */
  call(
    plugin: "interlay" | "macvlan" | "ptp" | "bridge" | "ipvlan",
    command: string,
    node: TestNode,
    pod: TestPod,
    ifname: string,
    config: Readonly<Record<string, unknown>>,
  ): CallResult {
    const executable = plugin === "interlay" ? this.#plugins.interlay : join(this.#plugins.reference, plugin);
    const env = {
      PATH: process.env["PATH"],
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod.containerId,
      CNI_NETNS: pod.netns,
      CNI_IFNAME: ifname,
      CNI_PATH: this.#plugins.reference,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=${pod.namespace};K8S_POD_UID=1`,
    };
    const input = JSON.stringify({
      cniVersion: "1.0.0",
      name: "underlay",
      type: plugin,
      ...(plugin === "interlay" ? { stateDirectory: node.stateDirectory } : {}),
      ...config,
    });
    const { status, stdout, stderr } = spawnSync("ip", ["netns", "exec", node.name, executable], {
      env,
      input,
      encoding: "utf8",
    });
    if (status !== 0 && stdout === "") throw new Error(`${plugin} ${command} said nothing on stdout: ${stderr}`);
    return { status: status ?? -1, json: stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  /** macvlan by the reference plugin with a static address, then interlay behind it. */
  attach(node: TestNode, pod: TestPod, ifname: string, address: string, gateway?: string): CallResult {
    const ipam = {
      type: "static",
      addresses: [{ address, ...(gateway === undefined ? {} : { gateway }) }],
      ...(gateway !== undefined && ifname === "eth0" ? { routes: [{ dst: "0.0.0.0/0", gw: gateway }] } : {}),
    };
    const macvlan = this.call("macvlan", "ADD", node, pod, ifname, { master: "eth0", mode: "bridge", ipam });
    if (macvlan.status !== 0) throw new Error(`macvlan ADD: ${JSON.stringify(macvlan.json)}`);
    return this.call("interlay", "ADD", node, pod, ifname, { prevResult: macvlan.json });
  }

  /** What stands for Calico: a pair with a /32, 169.254.1.1 as its gateway, proxy ARP and a route on the node. */
  overlay(node: TestNode, pod: TestPod, address: string): void {
    const nodeEnd = `cali${pod.containerId.replaceAll(/[^a-z0-9]/g, "").slice(-10)}`;
    ip("-n", node.name, "link", "add", "name", nodeEnd, "type", "veth", "peer", "name", "eth0", "netns", pod.namespace);
    ip("-n", node.name, "link", "set", nodeEnd, "up");
    inside(node.name, "sysctl", "-qw", `net.ipv4.conf.${nodeEnd}.proxy_arp=1`);
    ip("-n", node.name, "route", "add", `${address}/32`, "dev", nodeEnd);
    ip("-n", pod.namespace, "address", "add", `${address}/32`, "dev", "eth0");
    ip("-n", pod.namespace, "link", "set", "eth0", "up");
    ip("-n", pod.namespace, "route", "add", "169.254.1.1", "dev", "eth0");
    ip("-n", pod.namespace, "route", "add", "default", "via", "169.254.1.1", "dev", "eth0");
    inside(node.name, "sysctl", "-qw", `net.ipv4.neigh.${nodeEnd}.proxy_delay=0`);
  }

  close(): void {
    for (const namespace of this.#namespaces.reverse()) spawnSync("ip", ["netns", "delete", namespace]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #namespace(name: string): string {
    const namespace = `${this.#prefix}-${name}`;
    ip("netns", "add", namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
    this.#namespaces.push(namespace);
    return namespace;
  }
}

function defaultFacts(name: string, address: string): Facts {
  return {
    schema: FACTS_SCHEMA,
    node: { name, addresses: [parseIp(address)] },
    uplink: "eth0",
    overlayCidrs: [parseCidr("10.233.64.0/18")],
    localOverlayBlocks: [],
    serviceCidrs: [parseCidr("10.233.0.0/18")],
    hijackCidrs: [],
    returnPath: "notrack",
    sources: {},
  };
}

/** Whether one ping gets through: tells from and to in the failure. */
export function ping(from: string, to: string): boolean {
  return spawnSync("ip", ["netns", "exec", from, "ping", "-n", "-q", "-c", "1", "-W", "2", to]).status === 0;
}

/** Executables for the tests, by the environment that scripts/test-netns.ts sets. */
export function pluginsFromEnvironment(): Plugins {
  const { INTERLAY_EXECUTABLE: interlay, INTERLAY_CNI_PLUGINS: reference } = process.env;
  if (interlay === undefined || reference === undefined)
    throw new Error("run these tests by `npm run test:netns`: it builds and finds the plugins");
  return { interlay, reference };
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATH_VARIABLES } from "../cni/paths.ts";
import { parseIp } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { makeFacts } from "./facts.ts";
import { PERMANENT_STATE } from "./node-snapshot.ts";

export { splitLines } from "./node-snapshot.ts";

/** Network namespaces for tests: a switch, nodes, and pods that real plugins attach. Needs root. */

/** Runs a program and returns its output. @throws with the program's error output */
export function execOrThrow(argv: readonly string[], input = ""): string {
  const [file = "", ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(file, rest, { input, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`\`${argv.join(" ")}\` ended with ${String(status)}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

const runIp = (...argv: readonly string[]): string => execOrThrow(["ip", ...argv]);
/** Runs a program in a network namespace. */
export const execInNetns = (namespace: string, ...argv: readonly string[]): string =>
  execOrThrow(["ip", "netns", "exec", namespace, ...argv]);

let counter = 0;

/** `interlay` is the full plugin, run standalone; `launcher` is the program that a runtime starts, which uses the node's agent if it runs. */
export type PluginName = "interlay" | "launcher" | "faulty" | "macvlan" | "ptp" | "bridge" | "ipvlan";

/** Result of a plugin call. */
export interface CallResult {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Program, environment and stdin of a plugin call. */
export interface Invocation {
  readonly executable: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
}

export interface TestNode {
  readonly name: string;
  readonly address: string;
  readonly stateDirectory: string;
  /** The agent's run directory, with the socket for the launcher. */
  readonly runDirectory: string;
  readonly socket: string;
  /** Directory in which its agent installs the plugins. */
  readonly binDirectory: string;
}

interface StaticAddress {
  readonly address: string;
  readonly gateway?: string;
}

export interface TestPod {
  readonly namespace: string;
  readonly netns: string;
  readonly containerId: string;
}

/** Paths of the executables, from the environment. */
interface Plugins {
  /** The full plugin (`interlay-full`), in the launcher's directory. */
  readonly interlay: string;
  readonly launcher: string;
  /** The full plugin with fault injection (fault-injection.ts). */
  readonly faulty: string;
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
    const directory = (of: string): string => join(this.#directory, `${name}${of}`);
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
  invocation(
    plugin: PluginName,
    command: string,
    node: TestNode,
    pod: TestPod,
    ifname: string,
    config: Readonly<Record<string, unknown>>,
    fault?: string,
  ): Invocation {
    const ours = plugin === "interlay" || plugin === "launcher" || plugin === "faulty";
    return {
      executable: ours ? this.#plugins[plugin] : join(this.#plugins.reference, plugin),
      env: {
        PATH: process.env["PATH"],
        CNI_COMMAND: command,
        CNI_CONTAINERID: pod.containerId,
        CNI_NETNS: pod.netns,
        CNI_IFNAME: ifname,
        CNI_PATH: this.#plugins.reference,
        ...(plugin === "launcher" ? { INTERLAY_CNI_SOCKET: node.socket } : {}),
        ...(fault === undefined ? {} : { INTERLAY_FAULT: fault }),
        ...(ours ? buildPathVariables(node) : {}),
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=${pod.namespace};K8S_POD_UID=1`,
      },
      input: JSON.stringify({
        cniVersion: "1.0.0",
        name: "underlay",
        type: ours ? "interlay" : plugin,
        ...config,
      }),
    };
  }

  /** Calls a plugin in the node's namespace and waits for it. */
  call(...what: Parameters<TestNet["invocation"]>): CallResult {
    const [plugin, command, node] = what;
    const { executable, env, input } = this.invocation(...what);
    const { status, stdout, stderr } = spawnSync("ip", ["netns", "exec", node.name, executable], {
      env,
      input,
      encoding: "utf8",
    });
    if (status !== 0 && status !== null && stdout === "" && stderr !== "")
      throw new Error(`${plugin} ${command} said nothing on stdout: ${stderr}`);
    return { status: status ?? -1, json: stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  /** Starts a call without waiting for its end. */
  start(...what: Parameters<TestNet["invocation"]>): ChildProcess {
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

/** Environment that sets the paths of a node's plugin. */
export function buildPathVariables({
  stateDirectory,
}: Pick<TestNode, "stateDirectory">): Readonly<Record<string, string>> {
  return {
    [PATH_VARIABLES.stateDirectory]: stateDirectory,
    [PATH_VARIABLES.logFile]: join(stateDirectory, "cni.log"),
  };
}

/**
 * Returns true if one of three pings is answered. The kernel starts the queue of a new link some time after the link is up, so that the
 * first packet may be lost on a busy machine.
 */
export function pingAddress(from: string, to: string, source?: string): boolean {
  const by = source === undefined ? [] : ["-I", source];
  const argv = ["netns", "exec", from, "ping", "-n", "-q", "-c", "1", "-W", "1", ...by, to];
  return [1, 2, 3].some(() => spawnSync("ip", argv).status === 0);
}

/** Reads a node's links, routes, rules and permanent neighbours. */
export function readPermanentState(node: TestNode): readonly string[] {
  return PERMANENT_STATE.flatMap((look) => look.parseLines(execInNetns(node.name, ...look.argv)));
}

/** Reads the paths of the executables from the environment, which scripts/test-netns.ts sets. */
export function pluginsFromEnvironment(): Plugins {
  const env = process.env;
  const { INTERLAY_EXECUTABLE: interlay, INTERLAY_LAUNCHER: launcher, INTERLAY_FAULTY: faulty } = env;
  const reference = env["INTERLAY_CNI_PLUGINS"];
  if (interlay === undefined || launcher === undefined || faulty === undefined || reference === undefined)
    throw new Error("run these tests by `npm run test:netns`: it builds and finds the plugins");
  return { interlay, launcher, faulty, reference };
}

import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand, runOrThrow } from "../../components/run-command.ts";
import { buildMachineCommand } from "./nsenter.ts";
import type { LabMachines } from "./machine-addresses.ts";
import { listProcesses, signalProcesses } from "./processes.ts";
import { listBridges, listLinks, ROUTER_RULES, ROUTER_SYSCTLS } from "./topology.ts";

const FILES = join(import.meta.dirname, "..", "files");
const TIMEOUT_MS = 20_000;
/** Links of a machine; most machines have only the first. */
const LINKS = ["eth0", "eth1"];
/** Programs that a machine has in /opt/cni/bin; `cni-plugins` is a directory of plugins. */
export const CNI_PROGRAMS = ["multus", "calico", "calico-ipam", "interlay", "interlay-full", "cni-plugins"] as const;

type Machine = LabMachines["external"];
type Programs = Readonly<Record<string, string>>;

/** Creates the network namespace with the lab's bridges. @returns the process that keeps the namespace */
export async function makeBridge(machines: LabMachines): Promise<number> {
  const bridge = spawn("unshare", ["--net", "--", "sleep", "infinity"], { stdio: "ignore" }).pid ?? 0;
  await waitUntilReady(bridge);
  const ip = (...argv: readonly string[]) => runOrThrow(buildNetworkCommand(bridge, ["ip", ...argv]));
  await ip("link", "set", "lo", "up");
  for (const { name, addresses } of listBridges(machines)) {
    await ip("link", "add", "name", name, "type", "bridge");
    for (const address of addresses) await ip("address", "add", address, "dev", name, ...listAddressFlags(address));
    if (machines.mtu !== undefined) await ip("link", "set", name, "mtu", String(machines.mtu));
    await ip("link", "set", name, "up");
  }
  if (machines.racks !== undefined) await makeRouter(bridge);
  return bridge;
}

/** Makes the bridges' namespace a router between its bridges, with a firewall. */
async function makeRouter(bridge: number): Promise<void> {
  for (const [name, value] of Object.entries(ROUTER_SYSCTLS))
    await runOrThrow(buildNetworkCommand(bridge, ["sysctl", "-q", "-w", `${name}=${value}`]));
  await runOrThrow(buildNetworkCommand(bridge, ["nft", "-f", "-"]), { stdin: ROUTER_RULES });
}

/**
 * Creates every machine of a lab.
 *
 * @param bridge result of `makeBridge`
 * @param programs host paths of the programs in /programs, by name
 * @param directory the lab's directory
 * @returns each machine's first process, by the machine's name
 */
export async function makeMachines(
  bridge: number,
  machines: LabMachines,
  programs: Programs,
  directory: string,
): Promise<Map<string, number>> {
  const allMachines = [...machines.nodes, machines.external];
  const entries = allMachines.map(
    async (machine) => [machine.name, await addMachine(bridge, machines, machine, programs, directory)] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Creates one machine and connects it. The parameters are those of `makeMachines`. @returns its first process */
export async function addMachine(
  bridge: number,
  machines: LabMachines,
  { name }: Machine,
  programs: Programs,
  directory: string,
): Promise<number> {
  const pid = await makeMachine(name, programs, join(directory, "roots", name));
  const ipOnBridge = (...argv: readonly string[]) => runOrThrow(buildNetworkCommand(bridge, ["ip", ...argv]));
  const ip = (...argv: readonly string[]) => runOrThrow(buildMachineCommand(pid, ["ip", ...argv]));
  const mtu = machines.mtu === undefined ? [] : ["mtu", String(machines.mtu)];
  for (const link of listLinks(machines, name)) {
    const peer = ["peer", "name", link.name, "address", link.mac, "netns", String(pid)];
    await ipOnBridge("link", "add", "name", link.port, "type", "veth", ...peer);
    await ipOnBridge("link", "set", link.port, "master", link.bridge, ...mtu, "up");
    for (const address of link.addresses)
      await ip("address", "add", address, "dev", link.name, ...listAddressFlags(address));
    await ip("link", "set", link.name, ...mtu, "up");
    for (const gateway of link.gateways) await ip("route", "add", "default", "via", gateway);
  }
  return pid;
}

/**
 * Kills every process in the networks of a machine and its pods, as a power failure does; the namespaces and files end with
 * the last of them. The machine's links are deleted first: the kernel removes a namespace's links some time later, and until
 * then the machine would answer pings. Does nothing for a machine that is off.
 */
export async function powerOff(machine: number): Promise<void> {
  const networks = await listNetworks(machine);
  if (networks.size > 0)
    for (const link of LINKS) await runCommand(buildNetworkCommand(machine, ["ip", "link", "delete", link]));
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const pids = await listProcesses("net", networks);
    if (pids.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`processes of a machine that was powered off still run: ${pids.join(", ")}`);
    signalProcesses(pids, "SIGKILL");
    await sleep(20);
  }
}

/** Returns the network namespaces of a machine and its pods; none if the process has ended. */
async function listNetworks(machine: number): Promise<ReadonlySet<string>> {
  const machineNetwork = await readlink(`/proc/${machine}/ns/net`).catch(() => undefined);
  // The process id of an ended machine may belong to a program of the host.
  if (machineNetwork === undefined || machineNetwork === (await readlink("/proc/self/ns/net"))) return new Set();
  const directory = `/proc/${machine}/root/run/netns`;
  const names = await readdir(directory).catch(() => []);
  const pods = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).ino));
  return new Set([machineNetwork, ...pods.map((inode) => `net:[${inode}]`)]);
}

/** Returns a command that runs in a process's network namespace with this process's files. */
function buildNetworkCommand(pid: number, argv: readonly string[]): readonly string[] {
  return ["nsenter", "--target", String(pid), "--net", "--", ...argv];
}

async function makeMachine(name: string, programs: Programs, root: string): Promise<number> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const unshareFlags = ["--net", "--mount", "--uts", "--propagation", "private", "--"];
  const machineArguments = [root, name, ...Object.entries(programs).flat()];
  const child = spawn("unshare", [...unshareFlags, join(FILES, "machine"), ...machineArguments], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const pid = child.pid ?? 0;
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isReady(pid))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`cannot create the machine ${name}: ${stderr.trim() || `no output in ${TIMEOUT_MS / 1000} s`}`);
    await sleep(10);
  }
  const plugins = CNI_PROGRAMS.map((program) => `/programs/${program}`);
  const linkPlugins = ["-exec", "ln", "-s", "-t", "/opt/cni/bin", "{}", "+"];
  await runOrThrow(buildMachineCommand(pid, ["find", ...plugins, "-maxdepth", "1", "-type", "f", ...linkPlugins]));
  const executables = ["/programs/probe", "/programs/calico-node"];
  await runOrThrow(buildMachineCommand(pid, ["ln", "-s", "-t", "/usr/local/bin", ...executables]));
  return pid;
}

/** Whether the script of a machine or bridge has done its work: it ends with `exec sleep`. */
async function isReady(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() === "sleep";
}

async function waitUntilReady(pid: number): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isReady(pid))) {
    if (Date.now() > deadline)
      throw new Error("cannot create the lab's network namespace: does the kernel support network namespaces?");
    await sleep(5);
  }
}

/** Returns the flags of an address. IPv6 addresses are usable at once: no other machine has them, so DAD is not needed. */
function listAddressFlags(address: string): readonly string[] {
  return address.includes(":") ? ["nodad"] : [];
}

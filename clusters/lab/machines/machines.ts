import { mkdir, readdir, readFile, readlink, stat } from "node:fs/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand, runOrThrow } from "../../components/command.ts";
import { buildMachineCommand } from "../nsenter.ts";
import type { LabMachines } from "./machine-addresses.ts";
import { listProcesses, signalProcesses } from "./processes.ts";
import { listBridges, listLinks, ROUTER_RULES, ROUTER_SYSCTLS } from "./topology.ts";

const FILES = join(import.meta.dirname, "..", "files");
const TIMEOUT_MS = 20_000;

type Machine = LabMachines["external"];
type Programs = Readonly<Record<string, string>>;

/** Makes the bridge that every machine stands on. @returns the process that holds its network */
export async function makeBridge(machines: LabMachines): Promise<number> {
  const bridge = spawn("unshare", ["--net", "--", "sleep", "infinity"], { stdio: "ignore" }).pid ?? 0;
  await waitUntilReady(bridge);
  const ip = (...argv: readonly string[]) => runOrThrow(buildIpCommand(bridge, argv));
  for (const { name, addresses } of listBridges(machines)) {
    await ip("link", "add", "name", name, "type", "bridge");
    for (const address of addresses) await ip("address", "add", address, "dev", name, ...listDadFlags(address));
    if (machines.mtu !== undefined) await ip("link", "set", name, "mtu", String(machines.mtu));
    await ip("link", "set", name, "up");
  }
  if (machines.racks !== undefined) await makeRouter(bridge);
  return bridge;
}

/** Makes the bridges' network route between them, behind its firewall. */
async function makeRouter(bridge: number): Promise<void> {
  const there = ["nsenter", "--target", String(bridge), "--net", "--"];
  for (const [name, value] of Object.entries(ROUTER_SYSCTLS))
    await runOrThrow([...there, "sysctl", "-q", "-w", `${name}=${value}`]);
  await runOrThrow([...there, "nft", "-f", "-"], { stdin: ROUTER_RULES });
}

/** Makes every machine on the bridge. @returns each machine's first process */
export async function makeMachines(
  bridge: number,
  machines: LabMachines,
  programs: Programs,
  directory: string,
): Promise<Map<string, number>> {
  const all = [...machines.nodes, machines.external];
  const made = all.map(
    async (machine) => [machine.name, await addMachine(bridge, machines, machine, programs, directory)] as const,
  );
  return new Map(await Promise.all(made));
}

/** One machine, new, in its place on the bridge. @returns its first process */
export async function addMachine(
  bridge: number,
  machines: LabMachines,
  { name }: Machine,
  programs: Programs,
  directory: string,
): Promise<number> {
  const pid = await makeMachine(name, programs, join(directory, "roots", name));
  const inBridge = (...argv: readonly string[]) => runOrThrow(buildIpCommand(bridge, argv));
  const ip = (...argv: readonly string[]) => runOrThrow(buildMachineCommand(pid, ["ip", ...argv]));
  const mtu = machines.mtu === undefined ? [] : ["mtu", String(machines.mtu)];
  for (const link of listLinks(machines, name)) {
    const peer = ["peer", "name", link.name, "address", link.mac, "netns", String(pid)];
    await inBridge("link", "add", "name", link.port, "type", "veth", ...peer);
    await inBridge("link", "set", link.port, "master", link.bridge, ...mtu, "up");
    for (const address of link.addresses)
      await ip("address", "add", address, "dev", link.name, ...listDadFlags(address));
    await ip("link", "set", link.name, ...mtu, "up");
    for (const gateway of link.gateways) await ip("route", "add", "default", "via", gateway);
  }
  return pid;
}

/**
 * Ends a machine as a power cut does: every process in its network and in those of its pods, whoever started it. Its
 * namespaces and files go with the last of them; its wire is pulled first, because the kernel takes a namespace's links
 * down when it finds time, and until then the machine answers pings. One that is off already stays so.
 */
export async function powerOff(machine: number): Promise<void> {
  const networks = await listNetworks(machine);
  if (networks.size > 0)
    for (const link of ["eth0", "eth1"]) await runCommand(buildIpCommand(machine, ["link", "delete", link])); // most have one
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const pids = await listProcesses("net", networks);
    if (pids.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Processes of a machine without power go on: ${pids.join(", ")}.`);
    signalProcesses(pids, "SIGKILL");
    await sleep(20);
  }
}

async function listNetworks(machine: number): Promise<ReadonlySet<string>> {
  const own = await readlink(`/proc/${machine}/ns/net`).catch(() => undefined);
  // a number that somebody else has by now is no machine's
  if (own === undefined || own === (await readlink("/proc/self/ns/net"))) return new Set();
  const directory = `/proc/${machine}/root/run/netns`;
  const names = await readdir(directory).catch(() => []);
  const pods = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).ino));
  return new Set([own, ...pods.map((inode) => `net:[${inode}]`)]);
}

const buildIpCommand = (pid: number, argv: readonly string[]): readonly string[] => [
  ...["nsenter", "--target", String(pid), "--net", "--", "ip", ...argv],
];

async function makeMachine(name: string, programs: Programs, root: string): Promise<number> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const child = spawn(
    "unshare",
    [
      ...["--net", "--mount", "--uts", "--propagation", "private", "--"],
      ...[join(FILES, "machine"), root, name, ...Object.entries(programs).flat()],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const pid = child.pid ?? 0;
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isReady(pid))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`The machine ${name} could not be made: ${said.trim() || "no word in 20 s"}`);
    await sleep(10);
  }
  const plugins = ["multus", "calico", "calico-ipam", "interlay", "interlay-full", "cni-plugins"].map(
    (p) => `/programs/${p}`,
  );
  await runOrThrow(
    buildMachineCommand(pid, [
      "find",
      ...plugins,
      "-maxdepth",
      "1",
      "-type",
      "f",
      "-exec",
      "ln",
      "-s",
      "-t",
      "/opt/cni/bin",
      "{}",
      "+",
    ]),
  );
  await runOrThrow(
    buildMachineCommand(pid, ["ln", "-s", "-t", "/usr/local/bin", "/programs/probe", "/programs/calico-node"]),
  );
  return pid;
}

/** The machine's script ends in `sleep`: then all before it is done. */
async function isReady(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() === "sleep";
}

async function waitUntilReady(pid: number): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isReady(pid))) {
    if (Date.now() > deadline) throw new Error("The lab's bridge could not be made: does this kernel have namespaces?");
    await sleep(5);
  }
  await runCommand(["nsenter", "--target", String(pid), "--net", "--", "ip", "link", "set", "lo", "up"]);
}

/** An IPv6 address is of use before the kernel has asked around whether somebody else has it: here nobody does. */
function listDadFlags(address: string): readonly string[] {
  return address.includes(":") ? ["nodad"] : [];
}

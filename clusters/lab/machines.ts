import { mkdir } from "node:fs/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readFile } from "node:fs/promises";
import { run, runOrThrow } from "../components/command.ts";
import { inside } from "./enter.ts";
import type { LabMachines } from "./layout.ts";

const FILES = join(import.meta.dirname, "files");
const TIMEOUT_MS = 20_000;
const PREFIX_LENGTH_6 = 64;

/** Makes the bridge and every machine on it. @returns each machine's first process */
export async function makeMachines(
  machines: LabMachines,
  programs: Readonly<Record<string, string>>,
  directory: string,
): Promise<ReadonlyMap<string, number>> {
  const bridge = spawn("unshare", ["--net", "--", "sleep", "infinity"], { stdio: "ignore" }).pid ?? 0;
  const inBridge = (...argv: readonly string[]) =>
    runOrThrow(["nsenter", "--target", String(bridge), "--net", "--", "ip", ...argv]);
  await untilElsewhere(bridge);
  await inBridge("link", "add", "name", "br0", "type", "bridge");
  await inBridge(
    "address",
    "add",
    `${machines.gateway}/${machines.prefixLength}`,
    "dev",
    "br0",
    ...atOnce(machines.gateway),
  );
  if (machines.gateway6 !== undefined)
    await inBridge(
      "address",
      "add",
      `${machines.gateway6}/${PREFIX_LENGTH_6}`,
      "dev",
      "br0",
      ...atOnce(machines.gateway6),
    );
  await inBridge("link", "set", "br0", "up");
  const made = await Promise.all(
    [...machines.nodes, machines.external].map(async ({ name, address, address6 }, index) => {
      const pid = await makeMachine(name, programs, join(directory, "roots", name));
      const port = `m${index}`;
      const veth = ["link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", String(pid)];
      await inBridge(...veth);
      await inBridge("link", "set", port, "master", "br0", "up");
      const ip = (...argv: readonly string[]) => runOrThrow(inside(pid, ["ip", ...argv]));
      await ip("address", "add", `${address}/${machines.prefixLength}`, "dev", "eth0", ...atOnce(address));
      await ip("link", "set", "eth0", "up");
      await ip("route", "add", "default", "via", machines.gateway);
      if (address6 !== undefined && machines.gateway6 !== undefined) {
        await ip("address", "add", `${address6}/${PREFIX_LENGTH_6}`, "dev", "eth0", ...atOnce(address6));
        await ip("route", "add", "default", "via", machines.gateway6);
      }
      return [name, pid] as const;
    }),
  );
  return new Map(made);
}

async function makeMachine(name: string, programs: Readonly<Record<string, string>>, root: string): Promise<number> {
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
    inside(pid, [
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
  await runOrThrow(inside(pid, ["ln", "-s", "-t", "/usr/local/bin", "/programs/probe", "/programs/calico-node"]));
  return pid;
}

/** The machine's script ends in `sleep`: then all before it is done. */
async function isReady(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() === "sleep";
}

async function untilElsewhere(pid: number): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isReady(pid))) {
    if (Date.now() > deadline) throw new Error("The lab's bridge could not be made: does this kernel have namespaces?");
    await sleep(5);
  }
  await run(["nsenter", "--target", String(pid), "--net", "--", "ip", "link", "set", "lo", "up"]);
}

/** An IPv6 address is of use before the kernel has asked around whether somebody else has it: here nobody does. */
function atOnce(address: string): readonly string[] {
  return address.includes(":") ? ["nodad"] : [];
}

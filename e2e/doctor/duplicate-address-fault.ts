import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, ExecResult, ExternalHost } from "../../clusters/provider/provider.ts";
import type { Fault } from "./doctor-fault.ts";

/** Milliseconds after which the kernel accepts a change of a neighbour entry (arp(7), locktime). */
const LOCKTIME_MS = 1100;

async function requireExternalHost(cluster: Cluster): Promise<ExternalHost> {
  const host = await cluster.external();
  if (host === undefined) throw new Error("the cluster has no external host");
  return host;
}

async function assertSucceeded(execution: Promise<ExecResult>): Promise<void> {
  const { exitCode, stderr } = await execution;
  if (exitCode !== 0) throw new Error(`on the external host: ${stderr.trim()}`);
}

/** Flushes the neighbour caches, so that stale entries do not delay the end of the fault. */
async function flushNeighbours(cluster: Cluster): Promise<void> {
  for (const { name } of cluster.nodes) {
    await cluster.exec(name, ["ip", "neighbour", "flush", "dev", "eth0"]);
    const { stdout } = await cluster.exec(name, ["ip", "netns", "list"]);
    for (const netns of stdout.split("\n").flatMap((line) => line.split(" ")[0] ?? []))
      if (netns !== "")
        for (const link of ["eth0", "net1"])
          await cluster.exec(name, ["ip", "-n", netns, "neighbour", "flush", "dev", link]);
  }
}

/** The fault that another host on the underlay has the address of a pod. */
export const DUPLICATE_ADDRESS: Fault = {
  title: "duplicate address: another host on the underlay announces it",
  check: "duplicate-address",
  labOnly: true,
  make: async ({ cluster, getAddress }) => {
    const otherHost = await requireExternalHost(cluster);
    for (const argv of [
      ["sysctl", "-w", "net.ipv4.conf.eth0.arp_notify=1"],
      ["ip", "address", "add", `${getAddress("underlay-1-b", "main")}/32`, "dev", "eth0"],
    ])
      await assertSucceeded(otherHost.exec(argv));
    const { stdout: mac } = await otherHost.exec(["cat", "/sys/class/net/eth0/address"]);
    await sleep(LOCKTIME_MS);
    // The same MAC address again: with arp_notify the kernel announces its addresses.
    await assertSucceeded(otherHost.exec(["ip", "link", "set", "dev", "eth0", "address", mac.trim()]));
  },
  undo: async ({ cluster, getAddress }) => {
    const otherHost = await requireExternalHost(cluster);
    await assertSucceeded(
      otherHost.exec(["ip", "address", "delete", `${getAddress("underlay-1-b", "main")}/32`, "dev", "eth0"]),
    );
    await flushNeighbours(cluster);
  },
};

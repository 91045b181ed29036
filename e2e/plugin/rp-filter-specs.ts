import assert from "node:assert/strict";
import { By, DeferCleanup, Eventually, It, Skip } from "../harness.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { execOnNode, type PluginContext } from "./plugin-context.ts";

/** Tunnel link: requests of underlay pods arrive by it, and their replies leave by the uplink. */
const TUNNEL = "vxlan.calico";
/** RFC 3704: 0 none, 1 strict, 2 loose. The kernel uses the greater of a link's value and `all`. */
const VALUES = ["0", "1", "2"] as const;

export function registerRpFilterSpecs(context: () => PluginContext, variant: Variant): void {
  for (const value of VALUES)
    It(
      `rp_filter ${value} as every worker's and every pod's own: each IPv4 cell passes`,
      { timeout: 180_000 },
      async () => {
        const { deployment, workers, families } = context();
        if (!families.includes("ipv4")) Skip("the kernel has no rp_filter for IPv6");
        for (const node of workers.keys()) await setRpFilter(context(), node, value);
        for (const node of workers.keys())
          await Eventually(
            `the agent of node ${node + 1} makes every tunnel loose`,
            () => execOnNode(context(), node, "cat", `/proc/sys/net/ipv4/conf/${TUNNEL}/rp_filter`),
            (linkValue) => Math.max(Number(linkValue), Number(value)) !== 1,
          );
        const cells = listMatrixCells(workers.length, ["ipv4"]);
        const results = await By(`${cells.length} cells`, () => runCells(cells, variant, deployment, DEFAULT_RUN));
        const failed = results.filter(({ ok }) => !ok).map(({ id, reason }) => `${id}: ${reason ?? ""}`);
        assert.deepEqual(failed, []);
      },
    );
}

const KEYS = ["all", "default", "eth0"] as const;

/** Sets rp_filter on the node and in every pod on it; restored when the spec ends. */
async function setRpFilter(context: PluginContext, node: number, value: string): Promise<void> {
  const path = (key: string) => `net.ipv4.conf.${key}.rp_filter`;
  for (const key of KEYS) {
    const before = (await execOnNode(context, node, "sysctl", "-n", path(key))).trim();
    DeferCleanup(() => execOnNode(context, node, "sysctl", "-qw", `${path(key)}=${before}`));
    await execOnNode(context, node, "sysctl", "-qw", `${path(key)}=${value}`);
  }
  const names = (await execOnNode(context, node, "ip", "netns", "list"))
    .split("\n")
    .flatMap((line) => line.split(" ")[0] ?? []);
  for (const name of names.filter((text) => text !== "")) {
    const runInNamespace = (...argv: readonly string[]) =>
      context.cluster.exec(context.workers[node] ?? "", ["nsenter", `--net=/var/run/netns/${name}`, ...argv]);
    await runInNamespace("sysctl", "-qw", `${path("all")}=${value}`);
    DeferCleanup(() => runInNamespace("sysctl", "-qw", `${path("all")}=0`));
  }
}

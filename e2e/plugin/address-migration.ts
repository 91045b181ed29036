import assert from "node:assert/strict";
import { By, Eventually, It } from "../harness.ts";
import { EXTERNAL } from "../cells/cell.ts";
import { getExternalHost } from "../deployment/deploy.ts";
import { podName } from "../pods/suite-pods.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { findUnanswered } from "./http-probe.ts";
import { buildUnderlayAddresses, findNetworkName, RANGES } from "./networks.ts";
import {
  NETWORKS_ANNOTATION,
  createPluginPod,
  deletePods,
  waitForPluginPod,
  readMac,
  findPodNic,
  DEFAULT_NETWORK_ANNOTATION,
  type PluginContext,
} from "./plugin-context.ts";

/** Last number of the underlay pod's address; that of the multi-NIC pod follows. */
const LAST = 20;
/** Maximum milliseconds from the pod's being Ready until it is reached. */
const AT_ONCE_MS = 1000;

/** Registers specs for a fixed address that moves to another node while other hosts still have the old MAC. */
export function registerAddressMigrationSpecs(context: () => PluginContext): void {
  for (const [type, nic, annotation] of [
    ["an underlay pod", "eth0", DEFAULT_NETWORK_ANNOTATION],
    ["a multi-NIC pod", "net1", NETWORKS_ANNOTATION],
  ] as const)
    It(
      `a fixed address of ${type} that moves to another node is reached within a second of the pod's being Ready`,
      async () => {
        const name = `mover-${nic}`;
        const { deployment, cluster, families } = context();
        const addresses = buildUnderlayAddresses(cluster.spec, RANGES.fixed, nic === "eth0" ? LAST : LAST + 1);
        const testPod = (node: number) => ({
          name,
          node,
          annotations: { [annotation]: findNetworkName("fixed"), "interlay.dev/ip": addresses.join(",") },
        });
        const clients = [EXTERNAL, podName("underlay", 1, "a"), podName("multi-nic", 1, "a")];
        const probers = await Promise.all(clients.map((client) => deployment.getProber(client)));
        const readKnownMac = async (client: string, address: string) => {
          const link = client.startsWith("multi") ? "net1" : "eth0";
          const argv = ["ip", "neighbour", "show", "dev", link, "to", address];
          const text =
            client === EXTERNAL
              ? (await getExternalHost(deployment.external).exec(argv)).stdout
              : await context().api.exec("interlay-e2e", client, argv);
          return /lladdr (\S+)/.exec(text)?.[1] ?? "";
        };

        await createPluginPod(context(), testPod(0));
        await waitForPluginPod(context(), name);
        const oldMac = (await findPodNic(context(), name, nic)).mac;
        const probes = addresses.flatMap((address) =>
          probers.map((from) => ({ from, address, protocol: "tcp" as const, server: name })),
        );
        assert.deepEqual(await findUnanswered(probes), [], "before the move");
        for (const client of clients)
          for (const address of addresses)
            assert.equal(await readKnownMac(client, address), oldMac, `${client} knows ${address}`);

        await By("the pod is deleted, and created on the other node", async () => {
          await deletePods(context(), [name]);
          await createPluginPod(context(), testPod(1));
          await waitForPluginPod(context(), name, 20);
        });
        const latencies = await Promise.all(
          probes.map(async ({ from, address }) => {
            const { ok, server, latencyMs, error } = await from.probe({
              protocol: "tcp",
              address,
              port: TCP_PORT,
              timeoutMs: 5000,
            });
            assert.ok(ok && server === name, `${from.name} -> ${address} after the move: ${error ?? server ?? ""}`);
            return latencyMs;
          }),
        );
        const newMac = await readMac(context(), name, nic);
        assert.notEqual(newMac, oldMac, "the other node's link has the same MAC: nothing had to be announced");
        for (const client of clients)
          for (const address of addresses)
            await Eventually(
              `${client} has the new MAC of ${address}`,
              () => readKnownMac(client, address),
              (mac) => mac === newMac,
              { timeout: 2000 },
            );
        const slowest = Math.max(...latencies);
        process.stdout.write(
          `      · ${families.join(" and ")} from ${clients.join(", ")}: answered after at most ${slowest} ms\n`,
        );
        assert.ok(slowest <= AT_ONCE_MS, `the slowest answer came after ${slowest} ms`);
        await deletePods(context(), [name]);
      },
    );
}

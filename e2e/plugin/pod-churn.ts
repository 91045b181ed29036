import assert from "node:assert/strict";
import { z } from "zod";
import { retryOnServerError } from "../support/cluster-api.ts";
import { By, Eventually, It } from "../harness.ts";
import { readNodeState } from "../support/leaked-state.ts";
import { buildHostPodName } from "../pods/suite-pods.ts";
import { findUnanswered } from "./http-probe.ts";
import {
  NETWORKS_ANNOTATION,
  createPluginPod,
  deletePods,
  type PluginPod,
  waitForPluginPod,
  PLUGIN_NAMESPACE,
  findPodNic,
  DEFAULT_NETWORK_ANNOTATION,
  UNDERLAY,
  type PluginContext,
} from "./plugin-context.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const POD_COUNT = 20;
const RECORDS = ["attachments", "addresses", "pod-options"] as const;
const claims = z.object({
  items: z.array(
    z.object({ spec: z.object({ address: z.string(), pod: z.object({ namespace: z.string(), name: z.string() }) }) }),
  ),
});

export function registerPodChurnSpecs(context: () => PluginContext): void {
  It(
    `${POD_COUNT} pods are created at once on one node and reached; deleted at once, they leave nothing`,
    { timeout: 300_000 },
    async () => {
      const testPods: readonly PluginPod[] = Array.from({ length: POD_COUNT }, (_, index) => ({
        name: `crowd-${index + 1}`,
        node: 1,
        annotations: index % 2 === 0 ? { [DEFAULT_NETWORK_ANNOTATION]: UNDERLAY } : { [NETWORKS_ANNOTATION]: UNDERLAY },
      }));
      const names = testPods.map(({ name }) => name);
      const before = { node: await readNodeState(context().cluster), records: await listRecords(context()) };
      await By("the pods are created", async () => {
        await Promise.all(testPods.map((testPod) => createPluginPod(context(), testPod)));
        await Promise.all(names.map((name) => waitForPluginPod(context(), name)));
      });
      const localProber = await context().deployment.getProber(buildHostPodName(1));
      const remoteProber = await context().deployment.getProber(buildHostPodName(0));
      const nics = await Promise.all(
        testPods.map(async ({ name, annotations }) => ({
          name,
          addresses: (
            await findPodNic(context(), name, annotations[DEFAULT_NETWORK_ANNOTATION] === undefined ? "net1" : "eth0")
          ).addresses,
        })),
      );
      const addresses = nics.flatMap((nic) => nic.addresses);
      assert.equal(
        new Set(addresses).size,
        POD_COUNT * context().families.length,
        `addresses: ${addresses.join(", ")}`,
      );
      const probes = nics.flatMap((nic) =>
        nic.addresses.flatMap((address) =>
          [localProber, remoteProber].map((from) => ({ from, address, protocol: "tcp" as const, server: nic.name })),
        ),
      );
      assert.deepEqual(await findUnanswered(probes), []);
      assert.equal((await listClaims(context(), names)).length, POD_COUNT * context().families.length);
      await By("the pods are deleted", () => deletePods(context(), names));
      await Eventually(
        "links, routes, rules, neighbours, namespaces and records are as before, and no address is claimed",
        async () => {
          const after = { node: await readNodeState(context().cluster), records: await listRecords(context()) };
          return [
            ...after.node.filter((line) => !before.node.includes(line)),
            ...after.records.filter((line) => !before.records.includes(line)),
            ...(await listClaims(context(), names)),
          ];
        },
        (differences) => differences.length === 0,
        { timeout: 60_000, interval: 500 },
      );
    },
  );
}

/** Lists the files in which plugin and agent record pods. */
async function listRecords(context: PluginContext): Promise<readonly string[]> {
  const { stdout } = await context.cluster.exec(context.workers[1] ?? "", [
    "find",
    ...RECORDS.map((directory) => `/var/lib/interlay/${directory}`),
    "-type",
    "f",
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function listClaims({ api }: PluginContext, names: readonly string[]): Promise<readonly string[]> {
  const { items } = claims.parse(await retryOnServerError(() => api.objects.list(GROUP_VERSION, "UnderlayAddress")));
  return items
    .filter(({ spec: { pod } }) => pod.namespace === PLUGIN_NAMESPACE && names.includes(pod.name))
    .map(({ spec: { address, pod } }) => `${address} is claimed for ${pod.name}`);
}

import assert from "node:assert/strict";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { pickRandom } from "../support/random.ts";
import type { ChaosAction } from "./action.ts";
import { listClaimedAddresses } from "./invariants.ts";
import { createChaosPod, deletePod, waitForChaosPod, type ChaosContext } from "./chaos-context.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const POOL_NAME = "chaos-full";
const POOL_SIZE = 3;
const LABELS = { "interlay.dev/suite-pool": POOL_NAME };

/** Creates more pods than a pool has addresses: one waits, with an Event, and gets the first released address. */
export const fillPool: ChaosAction = {
  name: "a pool is filled",
  fits: ({ cluster }) => !cluster.spec.underlayCidr.includes(":"),
  act: async (context) => {
    await makePool(context);
    const testPods = await Promise.all(
      Array.from({ length: POOL_SIZE + 1 }, (_, index) =>
        createChaosPod(context, {
          name: `full-${index + 1}`,
          node: pickRandom(context.workers, context.random),
          type: "underlay",
          network: `${NAMESPACE}/${POOL_NAME}`,
          labels: LABELS,
        }),
      ),
    );
    const waiting = await Eventually(
      `${POOL_SIZE} of ${testPods.length} pods are ready, the other has an Event that no address is free`,
      async () => {
        const { items } = await context.api.core.listNamespacedPod({ namespace: NAMESPACE });
        const ready = new Set(items.filter(({ status }) => reportsReady(status)).map(({ metadata }) => metadata?.name));
        return testPods.filter(({ name }) => !ready.has(name)).map(({ name }) => name);
      },
      (names) => names.length === 1,
      { timeout: 90_000 },
    );
    const [waitingName = ""] = waiting;
    await Eventually(
      `pod ${waitingName} has the Event NoUnderlayAddress`,
      async () => {
        const fieldSelector = `involvedObject.name=${waitingName}`;
        const { items } = await context.api.core.listNamespacedEvent({ namespace: NAMESPACE, fieldSelector });
        return items.map(({ reason = "" }) => reason);
      },
      (reasons) => reasons.includes("NoUnderlayAddress"),
    );
    const [firstPod] = testPods.filter(({ name }) => name !== waitingName);
    assert.ok(firstPod !== undefined);
    const releasedAddresses = await listClaimedAddresses(context, firstPod.name);
    await deletePod(context, firstPod);
    await waitForChaosPod(context, testPods.find(({ name }) => name === waitingName) ?? firstPod);
    assert.deepEqual(await listClaimedAddresses(context, waitingName), releasedAddresses, "the released address");
    await Promise.all(testPods.filter((testPod) => testPod !== firstPod).map((testPod) => deletePod(context, testPod)));
    return `${POOL_SIZE} addresses for ${testPods.length} pods: ${waitingName} waited, and has ${releasedAddresses.join()} of ${firstPod.name}`;
  },
};

async function makePool({ api, cluster }: ChaosContext): Promise<void> {
  const { underlayCidr: subnet } = cluster.spec;
  const [prefix = ""] = /^\d+\.\d+/.exec(subnet) ?? [];
  const ranges = [`${prefix}.203.1-${prefix}.203.${POOL_SIZE}`];
  // The selector excludes pods of networks that name no pool.
  const pool = {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayPool",
    metadata: { name: POOL_NAME },
    spec: { subnet, ranges, podSelector: { matchLabels: LABELS } },
  };
  const network = {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayNetwork",
    metadata: { name: POOL_NAME },
    spec: { namespace: NAMESPACE, pools: [POOL_NAME] },
  };
  await ensureObject(api, pool);
  await ensureObject(api, network);
  await Eventually(
    `the NetworkAttachmentDefinition of ${POOL_NAME} is written`,
    () =>
      api.objects.read({
        apiVersion: "k8s.cni.cncf.io/v1",
        kind: "NetworkAttachmentDefinition",
        metadata: { name: POOL_NAME, namespace: NAMESPACE },
      }),
    () => true,
    { timeout: 60_000 },
  );
}

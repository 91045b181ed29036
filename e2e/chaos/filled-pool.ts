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

const NAME = "chaos-full";
const ROOM = 3;
const LABELS = { "interlay.dev/suite-pool": NAME };

/** More pods than a pool has addresses: one waits, with an Event, and gets the first released address. */
export const fillPool: ChaosAction = {
  name: "a pool is filled",
  fits: ({ cluster }) => !cluster.spec.underlayCidr.includes(":"),
  act: async (context) => {
    await makePool(context);
    const testPods = await Promise.all(
      Array.from({ length: ROOM + 1 }, (_, index) =>
        createChaosPod(context, {
          name: `full-${index + 1}`,
          node: pickRandom(context.workers, context.random),
          type: "underlay",
          network: `${NAMESPACE}/${NAME}`,
          labels: LABELS,
        }),
      ),
    );
    const waiting = await Eventually(
      `${ROOM} of ${testPods.length} pods are ready, the other has an Event that no address is free`,
      async () => {
        const { items } = await context.api.core.listNamespacedPod({ namespace: NAMESPACE });
        const ready = new Set(items.filter(({ status }) => reportsReady(status)).map(({ metadata }) => metadata?.name));
        return testPods.filter(({ name }) => !ready.has(name)).map(({ name }) => name);
      },
      (names) => names.length === 1,
      { timeout: 90_000 },
    );
    const [last = ""] = waiting;
    await Eventually(
      `pod ${last} has the Event NoUnderlayAddress`,
      async () => {
        const fieldSelector = `involvedObject.name=${last}`;
        const { items } = await context.api.core.listNamespacedEvent({ namespace: NAMESPACE, fieldSelector });
        return items.map(({ reason = "" }) => reason);
      },
      (reasons) => reasons.includes("NoUnderlayAddress"),
    );
    const [first] = testPods.filter(({ name }) => name !== last);
    assert.ok(first !== undefined);
    const before = await listClaimedAddresses(context, first.name);
    await deletePod(context, first);
    await waitForChaosPod(context, testPods.find(({ name }) => name === last) ?? first);
    assert.deepEqual(await listClaimedAddresses(context, last), before, "the released address");
    await Promise.all(testPods.filter((testPod) => testPod !== first).map((testPod) => deletePod(context, testPod)));
    return `${ROOM} addresses for ${testPods.length} pods: ${last} waited, and has ${before.join()} of ${first.name}`;
  },
};

async function makePool({ api, cluster }: ChaosContext): Promise<void> {
  const { underlayCidr: subnet } = cluster.spec;
  const [prefix = ""] = /^\d+\.\d+/.exec(subnet) ?? [];
  const ranges = [`${prefix}.203.1-${prefix}.203.${ROOM}`];
  // The selector excludes pods of networks that name no pool.
  const pool = {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayPool",
    metadata: { name: NAME },
    spec: { subnet, ranges, podSelector: { matchLabels: LABELS } },
  };
  const network = {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayNetwork",
    metadata: { name: NAME },
    spec: { namespace: NAMESPACE, pools: [NAME] },
  };
  await ensureObject(api, pool);
  await ensureObject(api, network);
  await Eventually(
    `the NetworkAttachmentDefinition of ${NAME} is written`,
    () =>
      api.objects.read({
        apiVersion: "k8s.cni.cncf.io/v1",
        kind: "NetworkAttachmentDefinition",
        metadata: { name: NAME, namespace: NAMESPACE },
      }),
    () => true,
    { timeout: 60_000 },
  );
}

import assert from "node:assert/strict";
import { z } from "zod";
import { Eventually } from "../harness.ts";
import { explainPod, readAttachmentRecords } from "../support/attachment-records.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { findLeaks } from "./find-leaks.ts";
import type { ChaosContext } from "./chaos-context.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Milliseconds in which a running agent must repair drift. */
const DRIFT_MS = 15_000;
/** A killed agent is started again after its kubelet's back-off. */
const RESTART_MS = 120_000;

const record = z.object({ pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string().optional() }) });
const claims = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        address: z.string(),
        containerId: z.string(),
        pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
      }),
    }),
  ),
});

/** Asserts what must hold after every action. @throws an error with the violations */
export async function checkInvariants(context: ChaosContext): Promise<void> {
  await Promise.all(context.workers.map((node) => waitForAgent(context, node)));
  await Promise.all([
    Eventually(
      "no drift on any worker",
      () => findDrift(context),
      (list) => list.length === 0,
      { timeout: DRIFT_MS, interval: 200 },
    ),
    Eventually(
      "records and claims match the existing pods",
      () => findOrphans(context),
      (list) => list.length === 0,
      {
        timeout: 60_000,
        interval: 1000,
      },
    ),
    Eventually(
      "no link, route, rule, network namespace, file or process of a deleted pod",
      () => findLeaks(context),
      (list) => list.length === 0,
      { timeout: 60_000, interval: 1000 },
    ),
  ]);
  await assertNoDuplicates(context);
}

async function waitForAgent({ cluster }: ChaosContext, node: string): Promise<void> {
  await Eventually(
    `the agent of ${node} is ready`,
    async () =>
      (await cluster.exec(node, ["curl", "--silent", "--max-time", "2", "http://127.0.0.1:9810/readyz"])).stdout,
    (answer) => answer.includes("ok"),
    { timeout: RESTART_MS },
  );
}

/** Returns plan items that are missing in the kernel, as `interlay explain` prints them. */
async function findDrift(context: ChaosContext): Promise<readonly string[]> {
  const lists = await Promise.all(
    context.workers.map(async (node) => {
      const pods = new Set((await readRecords(context, node)).map(({ name }) => name));
      const missingItems = await Promise.all(
        [...pods].map(async (name) => {
          const pod = { namespace: NAMESPACE, name };
          const { exitCode, stdout, stderr } = await explainPod(context.cluster, node, pod);
          const missing = stdout.split("\n").filter((line) => line.includes("MISSING"));
          return exitCode === 0
            ? missing.map((line) => `${node} ${name}: ${line.trim()}`)
            : [`${node} ${name}: ${stderr}`];
        }),
      );
      const nftTables = await context.cluster.exec(node, ["nft", "list", "tables"]);
      return [...missingItems.flat(), ...(nftTables.exitCode === 0 ? [] : [`${node}: nft list tables failed`])];
    }),
  );
  return lists.flat();
}

async function readRecords({ cluster }: ChaosContext, node: string): Promise<readonly { readonly name: string }[]> {
  return (await readAttachmentRecords(cluster, node))
    .map((json) => record.parse(json).pod)
    .filter(({ namespace }) => namespace === NAMESPACE);
}

/** Records on nodes and claims in the API, compared with the existing pods. */
async function findOrphans(context: ChaosContext): Promise<readonly string[]> {
  const { items } = await context.api.core.listNamespacedPod({ namespace: NAMESPACE });
  const pods = new Map(
    items.map(({ metadata, spec }) => [metadata?.name ?? "", { uid: metadata?.uid, node: spec?.nodeName }]),
  );
  const attachedPods = [...pods.keys()].filter((name) => /underlay|multi-nic/.test(name) || context.testPods.has(name));
  const records = await Promise.all(
    context.workers.map(async (node) => (await readRecords(context, node)).map(({ name }) => ({ name, node }))),
  );
  const claimed = await readClaims(context);
  return [
    ...records
      .flat()
      .filter(({ name, node }) => pods.get(name)?.node !== node)
      .map(({ name, node }) => `${node} has a record of pod ${name}, which does not exist`),
    ...claimed
      .filter(({ pod, containerId }) => containerId !== "" && pods.get(pod.name)?.uid !== pod.uid)
      .map(({ address, pod }) => `${address} is claimed for pod ${pod.name} of uid ${pod.uid}, which does not exist`),
    ...attachedPods
      .filter((name) => !claimed.some(({ pod }) => pod.name === name && pod.uid === pods.get(name)?.uid))
      .map((name) => `pod ${name} has no claim`),
  ];
}

async function assertNoDuplicates(context: ChaosContext): Promise<void> {
  const addresses = (await readClaims(context)).map(({ address }) => address);
  assert.deepEqual(
    addresses.filter((address, index) => addresses.indexOf(address) !== index),
    [],
    "addresses that were given twice",
  );
}

async function readClaims({ api }: ChaosContext): Promise<readonly z.infer<typeof claims>["items"][number]["spec"][]> {
  const list = claims.parse(await api.objects.list(GROUP_VERSION, "UnderlayAddress"));
  return list.items.map(({ spec }) => spec).filter(({ pod }) => pod.namespace === NAMESPACE);
}

/** Returns the underlay addresses that a pod has claimed. */
export async function listClaimedAddresses(context: ChaosContext, name: string): Promise<readonly string[]> {
  return (await readClaims(context)).filter(({ pod }) => pod.name === name).map(({ address }) => address);
}

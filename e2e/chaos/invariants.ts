import assert from "node:assert/strict";
import { z } from "zod";
import { Eventually } from "../harness.ts";
import { execOrThrow } from "../support/agent-process.ts";
import { NAMESPACE } from "../pods/pods.ts";
import { findLeaks } from "./leaked-state.ts";
import type { ChaosContext } from "./context.ts";

/** Milliseconds in which a running agent must repair drift. */
const DRIFT_MS = 5000;
/** A killed agent is started again after its kubelet's back-off. */
const BACK_MS = 120_000;
const INTERLAY = "/opt/cni/bin/interlay";
const RECORDS = "/var/lib/interlay/attachments";

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

/** What must hold after every action. Throws with what does not. */
export async function checkInvariants(world: ChaosContext): Promise<void> {
  await Promise.all(world.workers.map((node) => waitForAgent(world, node)));
  await Promise.all([
    Eventually(
      "no drift on any worker",
      () => findDrift(world),
      (list) => list.length === 0,
      { timeout: DRIFT_MS, interval: 200 },
    ),
    Eventually(
      "no record and no claim of a pod that is gone, none missing",
      () => findOrphans(world),
      (list) => list.length === 0,
      {
        timeout: 60_000,
        interval: 1000,
      },
    ),
    Eventually(
      "no link, route, rule, network namespace, file and process of a pod that is gone",
      () => findLeaks(world),
      (list) => list.length === 0,
      { timeout: 60_000, interval: 1000 },
    ),
  ]);
  await assertNoDuplicates(world);
}

async function waitForAgent({ cluster }: ChaosContext, node: string): Promise<void> {
  await Eventually(
    `the agent of ${node} is ready`,
    async () =>
      (await cluster.exec(node, ["curl", "--silent", "--max-time", "2", "http://127.0.0.1:9810/readyz"])).stdout,
    (answer) => answer.includes("ok"),
    { timeout: BACK_MS },
  );
}

/** Lines of plans that the kernel lacks, by the plugin's own word. */
async function findDrift(world: ChaosContext): Promise<readonly string[]> {
  const lists = await Promise.all(
    world.workers.map(async (node) => {
      const pods = new Set((await readRecords(world, node)).map(({ name }) => name));
      const found = await Promise.all(
        [...pods].map(async (name) => {
          const { exitCode, stdout, stderr } = await world.cluster.exec(node, [
            INTERLAY,
            "explain",
            "--pod",
            `${NAMESPACE}/${name}`,
          ]);
          const missing = stdout.split("\n").filter((line) => line.includes("MISSING"));
          return exitCode === 0
            ? missing.map((line) => `${node} ${name}: ${line.trim()}`)
            : [`${node} ${name}: ${stderr}`];
        }),
      );
      const table = await world.cluster.exec(node, ["nft", "list", "tables"]);
      return [...found.flat(), ...(table.exitCode === 0 ? [] : [`${node}: nft list tables failed`])];
    }),
  );
  return lists.flat();
}

async function readRecords({ cluster }: ChaosContext, node: string): Promise<readonly { readonly name: string }[]> {
  const files = (await execOrThrow(cluster, node, ["ls", RECORDS]))
    .split("\n")
    .filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(files.map((name) => cluster.exec(node, ["cat", `${RECORDS}/${name}`])));
  return texts
    .filter(({ exitCode }) => exitCode === 0) // gone meanwhile
    .map(({ stdout }) => record.parse(JSON.parse(stdout)).pod)
    .filter(({ namespace }) => namespace === NAMESPACE);
}

/** Records on nodes and claims in the API, compared with the existing pods. */
async function findOrphans(world: ChaosContext): Promise<readonly string[]> {
  const { items } = await world.api.core.listNamespacedPod({ namespace: NAMESPACE });
  const pods = new Map(
    items.map(({ metadata, spec }) => [metadata?.name ?? "", { uid: metadata?.uid, node: spec?.nodeName }]),
  );
  const wired = [...pods.keys()].filter((name) => /underlay|multi-nic/.test(name) || world.guests.has(name));
  const records = await Promise.all(
    world.workers.map(async (node) => (await readRecords(world, node)).map(({ name }) => ({ name, node }))),
  );
  const claimed = await readClaims(world);
  return [
    ...records
      .flat()
      .filter(({ name, node }) => pods.get(name)?.node !== node)
      .map(({ name, node }) => `${node} has a record of pod ${name}, which is not there`),
    ...claimed
      .filter(({ pod, containerId }) => containerId !== "" && pods.get(pod.name)?.uid !== pod.uid)
      .map(({ address, pod }) => `${address} is claimed for pod ${pod.name} of uid ${pod.uid}, which is not there`),
    ...wired
      .filter((name) => !claimed.some(({ pod }) => pod.name === name && pod.uid === pods.get(name)?.uid))
      .map((name) => `pod ${name} has no claim`),
  ];
}

async function assertNoDuplicates(world: ChaosContext): Promise<void> {
  const addresses = (await readClaims(world)).map(({ address }) => address);
  assert.deepEqual(
    addresses.filter((address, index) => addresses.indexOf(address) !== index),
    [],
    "addresses that were given twice",
  );
}

async function readClaims({ api }: ChaosContext): Promise<readonly z.infer<typeof claims>["items"][number]["spec"][]> {
  const list = claims.parse(await api.objects.list("interlay.dev/v1alpha1", "UnderlayAddress"));
  return list.items.map(({ spec }) => spec).filter(({ pod }) => pod.namespace === NAMESPACE);
}

/** The underlay addresses that a pod has claimed. */
export async function listAddresses(world: ChaosContext, name: string): Promise<readonly string[]> {
  return (await readClaims(world)).filter(({ pod }) => pod.name === name).map(({ address }) => address);
}

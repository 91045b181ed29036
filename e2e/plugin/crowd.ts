import assert from "node:assert/strict";
import { z } from "zod";
import { answered } from "../cluster-api.ts";
import { By, Eventually, It } from "../harness.ts";
import { nodeState } from "../leaks.ts";
import { hostPodName } from "../pods/pods.ts";
import { unanswered } from "./ask.ts";
import { BESIDE, comes, go, type Guest, isReady, NAMESPACE, nicOf, ONLY, UNDERLAY, type World } from "./world.ts";

const CROWD = 20;
const RECORDS = ["attachments", "addresses", "wishes"] as const;
const claims = z.object({
  items: z.array(
    z.object({ spec: z.object({ address: z.string(), pod: z.object({ namespace: z.string(), name: z.string() }) }) }),
  ),
});

export function crowdSpecs(world: () => World): void {
  It(
    `${CROWD} pods come at once on one node, each is reached; deleted at once, and nothing of them is left`,
    { timeout: 300_000 },
    async () => {
      const guests: readonly Guest[] = Array.from({ length: CROWD }, (_, index) => ({
        name: `crowd-${index + 1}`,
        node: 1,
        annotations: index % 2 === 0 ? { [ONLY]: UNDERLAY } : { [BESIDE]: UNDERLAY },
      }));
      const names = guests.map(({ name }) => name);
      const before = { node: await nodeState(world().cluster), records: await records(world()) };
      await By("they come", async () => {
        await Promise.all(guests.map((guest) => comes(world(), guest)));
        await Promise.all(names.map((name) => isReady(world(), name)));
      });
      const prober = await world().deployment.prober(hostPodName(1));
      const other = await world().deployment.prober(hostPodName(0));
      const nics = await Promise.all(
        guests.map(async ({ name, annotations }) => ({
          name,
          ...{ addresses: (await nicOf(world(), name, annotations[ONLY] === undefined ? "net1" : "eth0")).addresses },
        })),
      );
      const addresses = nics.flatMap((nic) => nic.addresses);
      assert.equal(new Set(addresses).size, CROWD * world().families.length, `addresses: ${addresses.join(", ")}`);
      const questions = nics.flatMap((nic) =>
        nic.addresses.flatMap((address) =>
          [prober, other].map((from) => ({ from, address, protocol: "tcp" as const, server: nic.name })),
        ),
      );
      assert.deepEqual(await unanswered(questions), []);
      assert.equal((await claimed(world(), names)).length, CROWD * world().families.length);
      await By("they go", () => go(world(), names));
      await Eventually(
        "links, routes, rules, neighbours, namespaces and records are what they were, and no address is claimed",
        async () => {
          const after = { node: await nodeState(world().cluster), records: await records(world()) };
          return [
            ...after.node.filter((line) => !before.node.includes(line)),
            ...after.records.filter((line) => !before.records.includes(line)),
            ...(await claimed(world(), names)),
          ];
        },
        (left) => left.length === 0,
        { timeout: 60_000, interval: 500 },
      );
    },
  );
}

/** Files in which plugin and agent keep what they know of pods. */
async function records(world: World): Promise<readonly string[]> {
  const { stdout } = await world.cluster.exec(world.workers[1] ?? "", [
    "find",
    ...RECORDS.map((directory) => `/var/lib/interlay/${directory}`),
    "-type",
    "f",
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function claimed({ api }: World, names: readonly string[]): Promise<readonly string[]> {
  const { items } = claims.parse(await answered(() => api.objects.list("interlay.dev/v1alpha1", "UnderlayAddress")));
  return items
    .filter(({ spec: { pod } }) => pod.namespace === NAMESPACE && names.includes(pod.name))
    .map(({ spec: { address, pod } }) => `${address} is claimed for ${pod.name}`);
}

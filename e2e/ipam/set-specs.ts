import assert from "node:assert/strict";
import { ensureObject } from "../support/cluster-api.ts";
import { By, Eventually, It } from "../harness.ts";
import { assertAgreement, assertDistinct, removeAllPods } from "./ipam-fixture.ts";
import { createWorkload, rollOut, scaleWorkload, waitForReplicas } from "./ipam-workloads.ts";
import type { IpamContext } from "./ipam-context.ts";

/** Specs of fixed sets that follow a workload. */
export function registerSetSpecs(context: () => IpamContext): void {
  const waitForSize = (pool: string, size: number) =>
    Eventually(
      `the set has ${size} addresses`,
      () => context().listHeldAddresses(pool),
      (held) => held.length === size,
      { timeout: 60_000, interval: 500 },
    );

  It(
    "a Deployment keeps its set over rollouts; the set grows and shrinks with the replicas",
    { timeout: 300_000 },
    async () => {
      await context().createPool("sets", { ranges: [context().buildRange(11, 20)] });
      const web = createWorkload(context(), "Deployment", "follows", {
        network: "sets",
        replicas: 3,
        strategy: { maxSurge: 1, maxUnavailable: 0 },
        annotations: { "interlay.dev/addresses": "+1" },
      });
      await ensureObject(context().api, web);
      const initialAddresses = await By("made", () => waitForReplicas(context(), web, 3));
      assertDistinct(initialAddresses);
      const set = (await waitForSize("sets", 4)).map(({ address }) => address);
      for (const mark of ["second", "third"]) {
        await rollOut(context(), web, mark);
        for (const address of await By(`the ${mark} rollout`, () => waitForReplicas(context(), web, 3)))
          assert.ok(set.includes(address), `${address} is not of the set ${set.join(", ")}`);
      }
      await scaleWorkload(context(), web, 5);
      await waitForReplicas(context(), web, 5);
      const grown = (await waitForSize("sets", 6)).map(({ address }) => address);
      for (const address of set) assert.ok(grown.includes(address), `${address} left the growing set`);
      await scaleWorkload(context(), web, 1);
      await waitForReplicas(context(), web, 1);
      await waitForSize("sets", 2);
      await assertAgreement(context());
      await removeAllPods(context(), web);
      await context().waitUntilEmpty("sets");
    },
  );

  It("a StatefulSet with a set keeps its addresses while it has no replicas", { timeout: 300_000 }, async () => {
    await context().createPool("stays", { ranges: [context().buildRange(12, 20)] });
    const db = createWorkload(context(), "StatefulSet", "keeps", {
      network: "stays",
      replicas: 2,
      annotations: { "interlay.dev/addresses": "2" },
    });
    await ensureObject(context().api, db);
    const initialAddresses = await By("made", () => waitForReplicas(context(), db, 2));
    await scaleWorkload(context(), db, 0);
    await waitForReplicas(context(), db, 0);
    assert.deepEqual((await waitForSize("stays", 2)).map(({ address }) => address).toSorted(), initialAddresses);
    await scaleWorkload(context(), db, 2);
    assert.deepEqual(await By("scaled up", () => waitForReplicas(context(), db, 2)), initialAddresses);
    await removeAllPods(context(), db);
    await context().waitUntilEmpty("stays");
  });
}

import assert from "node:assert/strict";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { createPlainProgress } from "../../clusters/progress-plain.ts";
import { clusterApi } from "../support/cluster-api.ts";
import type { TestRun } from "../support/test-run.ts";
import { BeforeAll, Eventually } from "../harness.ts";
import type { CallAnswer } from "./calls.ts";
import { checkAddresses } from "./command.ts";
import { waitForRollout, scaleWorkload, type Workload } from "./workloads.ts";
import { IpamContext } from "./context.ts";
import { hasCapability } from "../../clusters/capabilities.ts";

/** How many addresses the pool `exact` has. */
export const EXACT_POOL = 6;

/** The running group's world, with a pool of exactly so many addresses and one with room, made before its specs. */
export function setupIpamFixture(run: TestRun): () => IpamContext {
  let world: IpamContext | undefined;
  BeforeAll(
    async () => {
      const cluster = await run.cluster();
      if (hasCapability(cluster.provider, "host-programs"))
        await ensureDebianPackages(["procps"], createPlainProgress());
      world = await IpamContext.make(cluster, clusterApi(cluster));
      await world.pool("exact", { ranges: [world.range(0, EXACT_POOL)] });
      await world.pool("steady", { ranges: [world.range(1, 9)] });
    },
    { timeout: 180_000 },
  );
  return () => {
    if (world === undefined) throw new Error("the scene is not set: its BeforeAll has not run");
    return world;
  };
}

export function assertDistinct(addresses: readonly string[]): void {
  assert.equal(new Set(addresses).size, addresses.length, `the same twice: ${addresses.join(", ")}`);
}

/** Scaled to nothing first: its pods are gone when this resolves. */
export async function removeAllPods(world: IpamContext, object: Workload): Promise<void> {
  await scaleWorkload(world, object, 0);
  await waitForRollout(world, object, 0);
  await world.remove(object);
}

/** Nothing is found, not even what passes by itself. */
export async function assertAgreement(world: IpamContext): Promise<void> {
  await Eventually(
    "objects, records and links agree",
    () => checkAddresses(world),
    (found) => found.length === 0,
    { timeout: 60_000, interval: 1000 },
  );
}

export function listAllocated(answer: CallAnswer): string {
  assert.ok("address" in answer, `refused: ${JSON.stringify(answer)}`);
  return answer.address;
}

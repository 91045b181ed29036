import assert from "node:assert/strict";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { clusterApi } from "../support/cluster-api.ts";
import type { TestRun } from "../support/test-run.ts";
import { BeforeAll, Eventually } from "../harness.ts";
import type { CallAnswer } from "./ipam-caller.ts";
import { runIpamCheck } from "./ipam-command.ts";
import type { KubeObject } from "../pods/kube-object.ts";
import { waitForReplicas, scaleWorkload } from "./ipam-workloads.ts";
import { IpamContext } from "./ipam-context.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";

/** Number of addresses of the pool `exact`. */
export const EXACT_POOL = 6;

/**
 * Registers a BeforeAll that creates a pool of EXACT_POOL addresses and a larger one.
 * @returns a function that returns the context
 */
export function setupIpamFixture(run: TestRun): () => IpamContext {
  let context: IpamContext | undefined;
  BeforeAll(
    async () => {
      const cluster = await run.cluster();
      if (hasCapability(cluster.provider, "host-programs"))
        await ensureDebianPackages(["procps"], createPlainProgress());
      context = await IpamContext.create(cluster, clusterApi(cluster));
      await context.createPool("exact", { ranges: [context.buildRange(0, EXACT_POOL)] });
      await context.createPool("steady", { ranges: [context.buildRange(1, 9)] });
    },
    { timeout: 180_000 },
  );
  return () => {
    if (context === undefined) throw new Error("the fixture is not set up: its BeforeAll has not run");
    return context;
  };
}

export function assertDistinct(addresses: readonly string[]): void {
  assert.equal(new Set(addresses).size, addresses.length, `the same twice: ${addresses.join(", ")}`);
}

/** Scales a workload to 0, waits until its pods are deleted, and deletes it. */
export async function removeAllPods(context: IpamContext, object: KubeObject): Promise<void> {
  await scaleWorkload(context, object, 0);
  await waitForReplicas(context, object, 0);
  await context.removeObject(object);
}

/** Asserts that objects, records and links agree. */
export async function assertAgreement(context: IpamContext): Promise<void> {
  await Eventually(
    "objects, records and links agree",
    () => runIpamCheck(context),
    (found) => found.length === 0,
    { timeout: 60_000, interval: 1000 },
  );
}

export function getAllocatedAddress(answer: CallAnswer): string {
  assert.ok("address" in answer, `refused: ${JSON.stringify(answer)}`);
  return answer.address;
}

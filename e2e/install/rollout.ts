import assert from "node:assert/strict";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { createChaosPod, deletePod, waitForChaosPod, type PodContext } from "../chaos/chaos-context.ts";
import { waitForAgents } from "./agents.ts";
import { applyOverlay } from "./overlay.ts";

const TYPES = ["underlay", "multi-nic"] as const;

/**
 * Applies the new manifests while pods are created and deleted on every worker, one after another.
 * @returns the number of pods, and the time when the last agent was replaced, by performance.now()
 */
export async function rollOutDuringPodChurn(
  kubectl: Kubectl,
  podContext: PodContext,
  workers: readonly string[],
  image: string,
): Promise<{ readonly restarted: number; readonly rolledAt: number }> {
  const rolling = { is: true };
  const podCounts = workers.flatMap((node) =>
    TYPES.map(async (type) => {
      for (let count = 0; ; count += 1) {
        if (!rolling.is) return count;
        const testPod = await createChaosPod(podContext, { node, type });
        await waitForChaosPod(podContext, testPod);
        await deletePod(podContext, testPod);
      }
    }),
  );
  const pendingCounts = Promise.all(podCounts);
  pendingCounts.catch(() => undefined); // awaited below
  let rolledAt = Infinity;
  try {
    await applyOverlay(kubectl, "notrack", image);
    await waitForAgents(kubectl);
    rolledAt = performance.now();
  } finally {
    rolling.is = false;
  }
  const counts = await pendingCounts;
  assert.ok(
    counts.every((count) => count > 0),
    `no pod was created on some node while the agents were replaced: ${counts.join(", ")}`,
  );
  return { restarted: counts.reduce((sum, count) => sum + count, 0), rolledAt };
}

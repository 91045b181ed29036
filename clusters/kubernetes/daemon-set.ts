import type { V1DaemonSet } from "@kubernetes/client-node";

/** Whether a DaemonSet has been scheduled and all of its pods are ready. */
export function isDaemonSetReady({ status }: V1DaemonSet): boolean {
  return (
    status !== undefined && status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled
  );
}

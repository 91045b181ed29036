import type { V1DaemonSet } from "@kubernetes/client-node";

interface Status {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
}

/** Whether a pod's or a node's condition `Ready` is True. Returns false before its first report. */
export function reportsReady(status: Status | undefined): boolean {
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}

/** Whether a DaemonSet has been scheduled and all of its pods are ready. */
export function isDaemonSetReady({ status }: V1DaemonSet): boolean {
  return (
    status !== undefined && status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled
  );
}

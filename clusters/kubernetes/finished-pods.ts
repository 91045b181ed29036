import type { V1Pod } from "@kubernetes/client-node";

const FINISHED_PHASES: ReadonlySet<string | undefined> = new Set(["Succeeded", "Failed"]);

/** Whether all containers of a pod have ended for good. */
export function isFinished({ status }: V1Pod): boolean {
  return FINISHED_PHASES.has(status?.phase);
}

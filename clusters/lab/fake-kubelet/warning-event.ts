import type { CoreV1Event, V1Pod } from "@kubernetes/client-node";

/** Returns an event of type Warning about a pod, as kubelet records it. @param host the node's name */
export function createWarningEvent({ metadata }: V1Pod, host: string, reason: string, message: string): CoreV1Event {
  const { namespace = "", name = "", uid = "" } = metadata ?? {};
  const now = new Date();
  return {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name, uid },
    type: "Warning",
    reason,
    message,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    source: { component: "interlay-lab", host },
  };
}

import { checkAddresses } from "./check-addresses.ts";
import { checkAttachments } from "./check-attachments.ts";
import { checkCluster } from "./check-cluster.ts";
import { checkNode } from "./check-node.ts";
import { checkReturnPath } from "./check-return-path.ts";
import type { Finding } from "./finding.ts";
import type { Snapshot } from "./snapshot.ts";

/** Which cells fail, and why, by the state of kernels and cluster alone. Pure. */
export function predict(snapshot: Snapshot): readonly Finding[] {
  return [
    ...(snapshot.cluster === undefined ? [] : checkCluster(snapshot.cluster, snapshot.nodes)),
    ...snapshot.nodes.flatMap((node) => [
      ...checkReturnPath(node, snapshot.cluster),
      ...checkNode(node, snapshot.cluster),
      ...checkAttachments(node, snapshot.cluster),
    ]),
    ...checkAddresses(snapshot),
  ];
}

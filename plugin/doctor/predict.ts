import { checkAddresses } from "./check-addresses.ts";
import { checkAttachments } from "./check-attachments.ts";
import { checkCluster } from "./check-cluster.ts";
import { checkNodeNetworks, checkPools } from "./check-networks.ts";
import { checkNode } from "./check-node.ts";
import { checkPlugins } from "./check-plugins.ts";
import { checkTracedPaths } from "./check-traced-paths.ts";
import { checkReturnPath } from "./check-return-path.ts";
import { checkClusterCidr, checkServices } from "./check-services.ts";
import type { Finding } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot, Snapshot } from "./node-snapshot.ts";

/**
 * Predicts which cells fail, and why, from the state of kernels and cluster. Pure. Checks find known causes; traced paths find
 * all others.
 */
export function predictFailures(snapshot: Snapshot): readonly Finding[] {
  const findings = checkCauses(snapshot);
  return [...findings, ...checkTracedPaths(snapshot, findings)];
}

function checkCauses(snapshot: Snapshot): readonly Finding[] {
  return [
    ...(snapshot.cluster === undefined
      ? []
      : [
          ...checkCluster(snapshot.cluster, snapshot.nodes),
          ...checkPools(snapshot.cluster),
          ...checkClusterCidr(snapshot.cluster),
        ]),
    ...snapshot.nodes.flatMap((node) => {
      const cluster = snapshot.cluster && excludeRefused(snapshot.cluster, node);
      return [
        ...checkReturnPath(node, cluster),
        ...checkServices(node, cluster),
        ...checkNode(node, cluster),
        ...checkPlugins(node, cluster),
        ...checkNodeNetworks(node),
        ...checkAttachments(node, cluster),
      ];
    }),
    ...checkAddresses(snapshot),
  ];
}

/** Removes the networks that a node refuses: its pods need no route to them. */
function excludeRefused(cluster: ClusterSnapshot, { facts }: NodeSnapshot): ClusterSnapshot {
  const refused = new Set((facts?.refused ?? []).map(({ network }) => network));
  const excludeNetworks = (networks: readonly string[]): readonly string[] =>
    networks.filter((network) => !refused.has(network));
  return {
    ...cluster,
    overlayCidrs: excludeNetworks(cluster.overlayCidrs),
    serviceCidrs: excludeNetworks(cluster.serviceCidrs),
  };
}

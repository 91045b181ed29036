import { type CellPattern, type Finding, OVERLAY_ADDRESSES, SERVICE_TARGETS, type Target } from "./finding.ts";
import type { AttachmentSnapshot, ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

/** Finds the plan items that attached pods lack, and networks of the cluster to which they have no route. */
export function checkAttachments(node: NodeSnapshot, cluster: ClusterSnapshot | undefined): readonly Finding[] {
  return node.attachments.flatMap((pod) => [
    ...checkDrift(node.node, pod),
    ...checkForgedPackets(node.node, pod),
    ...checkNetworks(node, pod, cluster),
  ]);
}

function checkDrift(node: string, pod: AttachmentSnapshot): readonly Finding[] {
  return pod.drift.map((item) => {
    const cells =
      item.where === "node" || item.kind === "veth"
        ? findCellsLostOnNode(node, pod, item.kind)
        : findCellsLostInPod(pod, item);
    return {
      check: item.where === "node" && item.kind === "route" ? "host-route" : "drift",
      severity: cells.length > 0 ? "fails" : "warning",
      node,
      message: `${pod.pod} ${pod.ifname} on ${node} lacks "${item.line}" (${item.reason}).`,
      remedy: "The agent puts it back within a second: see whether it runs on this node, and what takes it away.",
      cells,
    };
  });
}

/** Reports a pod that sends from addresses that are not its own: its source guard drops these packets. */
function checkForgedPackets(node: string, { pod, ifname, forgedPackets }: AttachmentSnapshot): readonly Finding[] {
  if (forgedPackets === 0) return [];
  return [
    {
      check: "forged-source",
      severity: "warning",
      node,
      message: `The source guard of ${pod} ${ifname} on ${node} dropped ${forgedPackets} packets whose source is not an address of the pod.`,
      remedy:
        "Find the program in the pod that sends from another address. An address that the pod may use must come from an UnderlayPool.",
      cells: [],
    },
  ];
}

/** Lists the cells that fail when the node has no path to the pod: those whose replies return through the node. */
function findCellsLostOnNode(node: string, pod: AttachmentSnapshot, kind: string): readonly CellPattern[] {
  // The pair is missing or down. Its routes on the node are missing too, and are reported as other findings.
  if ((kind === "veth" || kind === "up") && pod.type === "underlay")
    return [{ sourcePod: pod.pod, sources: ["underlay"], targets: [...OVERLAY_ADDRESSES, ...SERVICE_TARGETS] }];
  // The kernel resolves a neighbour that is not pinned.
  if (kind !== "route" && kind !== "rule") return [];
  if (pod.type === "multi-nic")
    return [
      {
        sources: ["node", "overlay"],
        targets: ["multi-nic:net1"],
        targetPod: pod.pod,
        targetNode: node,
        placement: "same-node",
      },
    ];
  if (pod.type !== "underlay") return [];
  return [
    {
      sources: ["node", "overlay"],
      targets: ["underlay"],
      targetPod: pod.pod,
      targetNode: node,
      placement: "same-node",
    },
    { targets: ["underlay-service"], targetPod: pod.pod, targetNode: node, placement: "same-node" },
    { sourcePod: pod.pod, sources: ["underlay"], targets: OVERLAY_ADDRESSES, placement: "same-node" },
    { sourcePod: pod.pod, sources: ["underlay"], targets: SERVICE_TARGETS },
  ];
}

/** Lists the cells that fail when the pod lacks an item. `checkNetworks` checks the main table; other items affect only replies. */
function findCellsLostInPod(
  pod: AttachmentSnapshot,
  item: AttachmentSnapshot["drift"][number],
): readonly CellPattern[] {
  const needed =
    pod.type === "multi-nic" &&
    item.kind === "rule" &&
    !pod.addresses.some((address) => item.line.includes(` ${address} `));
  return needed ? [{ sources: ["underlay"], targets: ["multi-nic"], targetPod: pod.pod, protocols: ["tcp"] }] : [];
}

/**
 * Finds networks without a route in the pod, because a pool was added later or the facts were wrong. The pod sends to them by its
 * default gateway, which does not know them.
 */
function checkNetworks(
  node: NodeSnapshot,
  pod: AttachmentSnapshot,
  cluster: ClusterSnapshot | undefined,
): readonly Finding[] {
  if (pod.type !== "underlay" || pod.drift.some(({ kind }) => kind === "veth")) return [];
  const findMissing = (cidrs: readonly string[]): readonly string[] =>
    cidrs
      .filter((cidr) => pod.addresses.some((address) => address.includes(":") === cidr.includes(":")))
      .filter((cidr) => !pod.routes.some((route) => route.destination === cidr && route.device !== pod.ifname));
  const createFinding = (what: string, cidr: string, targets: readonly Target[], targetCidr?: string): Finding => ({
    check: "network-missing",
    severity: "fails",
    node: node.node,
    message: `${pod.pod} on ${node.node} has no route to the ${what} ${cidr} through its node: it sends there by its gateway on the wire.`,
    remedy:
      "See whether the facts of this node have the network (ConfigMap interlay-config overrides it), and whether its agent runs.",
    cells: [
      { sourcePod: pod.pod, sources: ["underlay"], targets, ...(targetCidr === undefined ? {} : { targetCidr }) },
    ],
  });
  return [
    ...findMissing(cluster?.overlayCidrs ?? node.facts?.overlayCidrs ?? []).map((cidr) =>
      createFinding("overlay network", cidr, OVERLAY_ADDRESSES, cidr),
    ),
    ...findMissing(cluster?.serviceCidrs ?? node.facts?.serviceCidrs ?? []).map((cidr) =>
      createFinding("Service network", cidr, SERVICE_TARGETS),
    ),
  ];
}

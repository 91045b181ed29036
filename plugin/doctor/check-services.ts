import { type Finding, SERVICE_TARGETS } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

/** Finds nodes that do not translate Services for underlay pods, by the criteria of the condition ServicesReady. */
export function checkServices(node: NodeSnapshot, cluster: ClusterSnapshot | undefined): readonly Finding[] {
  const remedy =
    "Run kube-proxy on this node in iptables, nftables or ipvs mode; condition ServicesReady of its NodeState follows.";
  if (cluster?.dataPlane !== undefined)
    return [
      {
        check: "services-data-plane",
        severity: "fails",
        node: node.node,
        message: `${cluster.dataPlane} is on: on ${node.node} it translates Services for links of its own only, and not for underlay pods.`,
        remedy: `Turn it off. ${remedy}`,
        cells: [{ sources: ["underlay"], sourceNode: node.node, targets: SERVICE_TARGETS }],
      },
    ];
  const networks = cluster?.serviceCidrs ?? node.facts?.serviceCidrs ?? [];
  return (["ipv4", "ipv6"] as const)
    .filter((family) => networks.some((cidr) => cidr.includes(":") === (family === "ipv6")))
    .filter((family) => !node.serviceRules.includes(family))
    .map((family) => ({
      check: "services-missing",
      severity: "fails",
      node: node.node,
      message: `The kernel of ${node.node} has no rules of kube-proxy (${family}): its pods reach no Service.`,
      remedy,
      cells: [
        { sourceNode: node.node, targets: SERVICE_TARGETS, targetCidr: family === "ipv6" ? "::/0" : "0.0.0.0/0" },
      ],
    }));
}

/** Finds a clusterCIDR with which kube-proxy takes clients on the underlay for pods (reason ClusterCIDRCoversUnderlay of ServicesReady). */
export function checkClusterCidr({ networkOverUnderlay, overlayCidrs }: ClusterSnapshot): readonly Finding[] {
  if (networkOverUnderlay === undefined) return [];
  return [
    {
      check: "services-cluster-cidr",
      severity: "fails",
      node: "",
      message: `kube-proxy's clusterCIDR ${networkOverUnderlay} contains the nodes' addresses: kube-proxy takes clients from the underlay for pods and sends them to endpoints of other nodes, with the policy Local too, and their answers do not come back.`,
      remedy: `Set clusterCIDR to ${overlayCidrs.join(",") || '""'} in ConfigMap kube-system/kube-proxy and restart kube-proxy.`,
      cells: [{ targets: ["node-port-local"], placement: "other-node" }],
    },
  ];
}

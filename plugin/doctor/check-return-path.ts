import { isBelow129 } from "../agent/kube-proxy/kube-proxy-gate.ts";
import { containsNetwork, parseCidr } from "../datapath/address.ts";
import { type CellPattern, type Finding, OVERLAY_ADDRESSES } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

/**
 * Finds rules that drop TCP from an underlay pod to an overlay pod of another node. The reply does not pass the underlay pod's node,
 * so conntrack there sees a SYN and then an ACK. The ACK is INVALID, and a rule of kube-proxy drops it.
 */
export function checkReturnPath(node: NodeSnapshot, cluster: ClusterSnapshot | undefined): readonly Finding[] {
  const { kubeProxy, facts } = node;
  const overlay = cluster?.overlayCidrs ?? facts?.overlayCidrs ?? [];
  const exempted = node.notrack.map(parseCidr);
  const tracked = overlay.filter((cidr) => !exempted.some((set) => containsNetwork(set, parseCidr(cidr))));
  const untracked = node.notrack.length > 0 && tracked.length === 0;
  const exempts = facts?.returnPath === "notrack" || facts?.returnPath === "snat";
  const version = kubeProxy.version ?? "of an unknown version";
  const rule =
    kubeProxy.mode === "nftables"
      ? "`ct state invalid drop` in table ip kube-proxy"
      : "`-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP`";
  const [otherRule] = node.otherInvalidDrops;
  const cells = (tracked.length === overlay.length ? [{}] : tracked.map((targetCidr) => ({ targetCidr }))).map(
    (targetNetwork): CellPattern => ({
      sources: ["underlay"],
      sourceNode: node.node,
      targets: OVERLAY_ADDRESSES,
      ...targetNetwork,
      placement: "other-node",
      protocols: ["tcp"],
    }),
  );
  if (!kubeProxy.invalidDropRule && otherRule !== undefined && !untracked)
    return [
      {
        check: "invalid-drop",
        severity: "fails",
        node: node.node,
        message: `${node.node} drops what conntrack calls INVALID: ${otherRule}.`,
        remedy: exempts
          ? "See why the agent of this node does not write its nftables table: condition ReturnPathReady of its NodeState."
          : "Set returnPath: notrack, or delete the rule.",
        cells,
      },
    ];
  if (kubeProxy.invalidDropRule && !untracked) {
    const upgrade = isBelow129(kubeProxy.version);
    const [message, remedy] = exempts
      ? [
          `kube-proxy ${version} on ${node.node} has ${rule}, and the table inet interlay ${node.notrack.length === 0 ? "is not in the kernel" : `does not have ${tracked.join(", ")}`}.`,
          "See why the agent of this node does not write it: condition ReturnPathReady of its NodeState.",
        ]
      : node.tcpBeLiberal === 1 && !upgrade
        ? [
            `nf_conntrack_tcp_be_liberal is 1 on ${node.node}, but kube-proxy ${version} was started before: it still has ${rule}.`,
            "Restart kube-proxy on this node, or set returnPath: notrack.",
          ]
        : [
            `kube-proxy ${version} on ${node.node} has ${rule}, and nf_conntrack_tcp_be_liberal is ${String(node.tcpBeLiberal ?? 0)}.`,
            upgrade
              ? "Set returnPath: notrack, or upgrade kube-proxy to v1.29 or newer and set returnPath: liberal."
              : "Set returnPath: notrack, or returnPath: liberal and restart kube-proxy.",
          ];
    return [
      {
        check: "invalid-drop",
        severity: "fails",
        node: node.node,
        message,
        remedy,
        cells,
      },
    ];
  }
  if (exempts && !untracked && overlay.length > 0)
    return [
      {
        check: "notrack-missing",
        severity: "warning",
        node: node.node,
        message: `The return path of ${node.node} is ${facts.returnPath}, but its table inet interlay is not complete; no rule drops INVALID packets now.`,
        remedy: "See condition ReturnPathReady of its NodeState.",
        cells: [],
      },
    ];
  return [];
}

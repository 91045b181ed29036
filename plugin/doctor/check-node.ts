import { type CellPattern, type Finding, IPV4, OVERLAY_ADDRESSES, SERVICE_TARGETS } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

const VXLAN = "vxlan.calico";
/** Outer Ethernet, IP, UDP and VXLAN headers. */
const VXLAN_OVERHEAD = 50;
const STRICT = 1;

/** Finds problems of a node: facts, uplink, forwarding, packet filters, MTU. */
export function checkNode(node: NodeSnapshot, cluster: ClusterSnapshot | undefined): readonly Finding[] {
  const createFinding: CreateFinding = (check, severity, message, remedy, cells = []) => ({
    check,
    severity,
    node: node.node,
    message,
    remedy,
    cells,
  });
  const vxlan = node.links.find(({ name }) => name === VXLAN);
  return [
    ...checkFacts(node, cluster, createFinding),
    ...checkUplink(node, createFinding),
    ...(node.ipForward
      ? []
      : [
          createFinding(
            "forwarding",
            "fails",
            `net.ipv4.ip_forward is 0 on ${node.node}: it routes for no pod.`,
            "Set net.ipv4.ip_forward=1, and see what set it back.",
            listForwardedCells(node.node),
          ),
        ]),
    ...(vxlan !== undefined && node.rpFilter[VXLAN] === STRICT
      ? [
          createFinding(
            "rp-filter",
            "fails",
            `rp_filter is strict for ${VXLAN} on ${node.node}: an underlay pod's address is on the wire, not behind the tunnel, so what comes from it by the tunnel is dropped.`,
            `Set net.ipv4.conf.all.rp_filter and net.ipv4.conf.${VXLAN}.rp_filter to 0 or 2 (loose).`,
            [
              {
                sources: ["underlay"],
                targets: OVERLAY_ADDRESSES,
                targetNode: node.node,
                placement: "other-node",
                targetCidr: IPV4,
              },
            ],
          ),
        ]
      : []),
    ...(node.forwardDrops
      ? [
          createFinding(
            "forward-drop",
            "fails",
            `The chain FORWARD of ${node.node} drops what no rule accepts, and the rules that accept what underlay pods send through their node are not all there.`,
            "The agent adds them within seconds: see whether it runs on this node, and what deletes them; or set the policy ACCEPT and take the last rule away that rejects everything (Docker sets DROP at its start).",
            [
              {
                sources: ["underlay"],
                sourceNode: node.node,
                targets: OVERLAY_ADDRESSES,
                placement: "other-node",
                targetCidr: IPV4,
              },
            ],
          ),
        ]
      : []),
    ...checkMtu(node, cluster, vxlan?.mtu, createFinding),
  ];
}

/** Lists the IPv4 cells that fail on a node with net.ipv4.ip_forward=0. */
function listForwardedCells(node: string): readonly CellPattern[] {
  const overlay = { targets: OVERLAY_ADDRESSES, targetNode: node, placement: "other-node" } as const;
  const patterns: readonly CellPattern[] = [
    { sources: ["overlay"], sourceNode: node },
    { sources: ["underlay", "multi-nic"], sourceNode: node, targets: [...OVERLAY_ADDRESSES, ...SERVICE_TARGETS] },
    overlay,
    { ...overlay, targets: ["overlay-service", "multi-nic-service"] },
  ];
  return patterns.map((pattern) => ({ ...pattern, targetCidr: IPV4 }));
}

type CreateFinding = (
  check: string,
  severity: Finding["severity"],
  message: string,
  remedy: string,
  cells?: readonly CellPattern[],
) => Finding;

function checkFacts(
  node: NodeSnapshot,
  cluster: ClusterSnapshot | undefined,
  createFinding: CreateFinding,
): readonly Finding[] {
  const { facts } = node;
  if (facts === null)
    return [
      createFinding(
        "facts-missing",
        "start",
        `${node.node} has no facts: no underlay or multi-NIC pod can be wired there.`,
        "See condition FactsReady of its NodeState, and whether its agent runs.",
      ),
    ];
  if (cluster === undefined) return [];
  const findings: Finding[] = [];
  const compare = (factName: string, actual: readonly string[], expected: readonly string[]): void => {
    if (expected.length > 0 && [...actual].sort().join() !== [...expected].sort().join())
      findings.push(
        createFinding(
          "facts-wrong",
          "warning",
          `The facts of ${node.node} say ${factName} ${actual.join(", ")}, the cluster says ${expected.join(", ")}: pods are wired by the facts.`,
          "See ConfigMap interlay-config for an override, and whether the agent of this node runs.",
        ),
      );
  };
  compare("overlay", facts.overlayCidrs, cluster.overlayCidrs);
  compare("Services", facts.serviceCidrs, cluster.serviceCidrs);
  compare("node addresses", facts.addresses, cluster.nodes.find(({ name }) => name === node.node)?.addresses ?? []);
  return findings;
}

function checkUplink(node: NodeSnapshot, createFinding: CreateFinding): readonly Finding[] {
  if (node.facts === null) return [];
  const { uplink } = node.facts;
  const link = node.links.find(({ name }) => name === uplink);
  if (link?.up === true) return [];
  if (link === undefined)
    return [
      createFinding(
        "uplink-missing",
        "warning",
        `${node.node} has no link ${uplink}, which its facts call the uplink: CNI's STATUS says that the node is not ready, and networks that name no uplink are made from the default route's link.`,
        "Set `uplink` (or NODE.uplink) in ConfigMap interlay-config to a link of the node.",
      ),
    ];
  return [
    createFinding(
      "uplink-missing",
      "fails",
      `The uplink ${uplink} of ${node.node} is down: nothing reaches the underlay from there.`,
      `ip link set ${uplink} up`,
      [
        { sourceNode: node.node, placement: "other-node" },
        { targetNode: node.node, placement: "other-node" },
      ],
    ),
  ];
}

function checkMtu(
  node: NodeSnapshot,
  cluster: ClusterSnapshot | undefined,
  vxlanMtu: number | undefined,
  createFinding: CreateFinding,
): readonly Finding[] {
  const findMtu = (name: string | undefined): number | undefined => node.links.find((l) => l.name === name)?.mtu;
  const uplinkMtu = findMtu(node.facts?.uplink);
  const findings: Finding[] = [];
  if (uplinkMtu !== undefined && vxlanMtu !== undefined && vxlanMtu > uplinkMtu - VXLAN_OVERHEAD)
    findings.push(
      createFinding(
        "mtu",
        "warning",
        `The MTU of ${VXLAN} on ${node.node} is ${vxlanMtu}, more than the uplink's ${uplinkMtu} less ${VXLAN_OVERHEAD}: large packets between nodes are lost.`,
        `Set Calico's vxlanMTU to ${uplinkMtu - VXLAN_OVERHEAD} or less.`,
      ),
    );
  for (const network of cluster?.networks ?? []) {
    const parentMtu = findMtu(network.master ?? node.facts?.uplink);
    if (network.mtu !== undefined && parentMtu !== undefined && network.mtu > parentMtu)
      findings.push(
        createFinding(
          "mtu",
          "start",
          `The network ${network.name} wants MTU ${network.mtu}, but its parent on ${node.node} has ${parentMtu}: macvlan refuses, and the pod does not start.`,
          `Set its mtu to ${parentMtu} or less.`,
        ),
      );
    if (network.master !== undefined && !node.links.some(({ name }) => name === network.master))
      findings.push(
        createFinding(
          "uplink-missing",
          "start",
          `The network ${network.name} is made from ${network.master}, which ${node.node} does not have: its pods do not start there.`,
          "Set the UnderlayNetwork's uplink to a link that every node has, or leave it out.",
        ),
      );
  }
  return findings;
}

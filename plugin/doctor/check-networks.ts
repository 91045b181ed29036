import { type Cidr, containsIp, parseCidr, parseIp } from "../datapath/address.ts";
import { parsePoolSpaces } from "../ipam/pool/address-space.ts";
import type { Finding } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

const LINK_LOCAL = parseCidr("169.254.0.0/16");

/** Finds networks that a node refuses, and nameservers that a pod cannot reach through its node. */
export function checkNodeNetworks(node: NodeSnapshot): readonly Finding[] {
  const refused = (node.facts?.refused ?? []).map(({ network, source, reason }): Finding => ({
    check: "network-refused",
    severity: "warning",
    node: node.node,
    message: `${source} says ${network}, but ${reason}: pods of ${node.node} reach it by the wire, not through the node.`,
    remedy:
      "Take the network out of its source if it is not an overlay or Service network; else give overlay and underlay networks that do not overlap.",
    cells: [],
  }));
  return [...refused, ...node.attachments.flatMap((pod) => checkNameservers(node.node, pod))];
}

/** Finds link-local nameservers without a route through the node. No gateway forwards to a link-local address. */
function checkNameservers(node: string, pod: NodeSnapshot["attachments"][number]): readonly Finding[] {
  if (pod.type !== "underlay") return [];
  return (pod.nameservers ?? [])
    .filter((nameserver) => isInNetwork(LINK_LOCAL, nameserver))
    .filter(
      (nameserver) =>
        !pod.routes.some(({ destination, device }) => device !== pod.ifname && isInNetwork(destination, nameserver)),
    )
    .map((nameserver) => ({
      check: "nameserver-unreachable",
      severity: "warning",
      node,
      message: `${pod.pod} on ${node} has the nameserver ${nameserver} and no route to it through its node: no name is resolved there.`,
      remedy: `See whether NodeLocal DNSCache runs on ${node} and has ${nameserver} on a link; else add it to hijackCidrs in ConfigMap interlay-config.`,
      cells: [],
    }));
}

/** Finds addresses of nodes that an UnderlayPool may assign to a pod. */
export function checkPools(cluster: ClusterSnapshot): readonly Finding[] {
  return cluster.pools.flatMap((pool) =>
    cluster.nodes.flatMap(({ name, addresses }) =>
      addresses
        .filter((address) => canAllocate(pool, address))
        .map((address): Finding => ({
          check: "node-address-in-pool",
          severity: "warning",
          node: name,
          message: `UnderlayPool ${pool.name} may give ${address}, the address of node ${name}: a pod that has it takes the node off the network.`,
          remedy: `Add ${address} to spec.excluded of UnderlayPool ${pool.name}.`,
          cells: [],
        })),
    ),
  );
}

function canAllocate(pool: ClusterSnapshot["pools"][number], address: string): boolean {
  try {
    return parsePoolSpaces(pool).all.has(parseIp(address));
  } catch {
    return false; // IPAM assigns nothing from an invalid pool
  }
}

function isInNetwork(network: string, address: string): boolean {
  try {
    return network !== "default" && containsIp(parseCidr(network) satisfies Cidr, parseIp(address));
  } catch {
    return false;
  }
}

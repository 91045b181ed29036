import { getFamily } from "../spec.ts";

/** A node with what the controller manager gave it. */
export interface NodeWithPodCidrs {
  readonly name: string;
  readonly address: string;
  readonly address6?: string;
  /** Node.spec.podCIDRs */
  readonly podCidrs: readonly string[];
}

/** What a node needs for a pod network of the reference plugins bridge and host-local. */
interface BridgeNetwork {
  readonly node: string;
  /** Text of the CNI configuration, for the delegates of Multus. */
  readonly conflist: string;
  /** Commands that make the routes to the other nodes' pods and masquerade what leaves the pod network. */
  readonly commands: readonly (readonly string[])[];
}

/** Where the CNI configuration is written: a directory of Multus's delegates. */
export const BRIDGE_CONFLIST = "/etc/cni/multus/net.d/10-bridge.conflist";

/**
 * Returns the pod network of every node, as kindnet has it: its bridge has the first address of its podCIDRs, and the other
 * nodes' podCIDRs are routed by their nodes' addresses. Pure.
 * @param overlayCidrs the cluster's pod networks, one for each family
 */
export function planBridgeNetworks(
  nodes: readonly NodeWithPodCidrs[],
  overlayCidrs: readonly string[],
): readonly BridgeNetwork[] {
  return nodes.map((node) => ({
    node: node.name,
    conflist: renderConflist(node.podCidrs),
    commands: [
      ...nodes.filter(({ name }) => name !== node.name).flatMap(listRoutes),
      ...overlayCidrs.map((cidr) => [
        getFamily(cidr) === "ipv4" ? "iptables" : "ip6tables",
        "-w",
        "-t",
        "nat",
        "-A",
        "POSTROUTING",
        "-s",
        cidr,
        "!",
        "-d",
        cidr,
        "-j",
        "MASQUERADE",
      ]),
    ],
  }));
}

/** Routes to a node's pods. */
function listRoutes({ address, address6, podCidrs }: NodeWithPodCidrs): readonly (readonly string[])[] {
  return podCidrs.flatMap((cidr) => {
    const gateway = [address, address6].find((one) => one !== undefined && getFamily(one) === getFamily(cidr));
    return gateway === undefined ? [] : [["ip", "route", "replace", cidr, "via", gateway]];
  });
}

function renderConflist(podCidrs: readonly string[]): string {
  const bridge = {
    type: "bridge",
    bridge: "cni0",
    isGateway: true,
    isDefaultGateway: true,
    hairpinMode: true,
    ipMasq: false,
    ipam: { type: "host-local", ranges: podCidrs.map((subnet) => [{ subnet }]) },
  };
  const portmap = { type: "portmap", snat: true, capabilities: { portMappings: true } };
  return JSON.stringify({ cniVersion: "0.3.1", name: "bridge", plugins: [bridge, portmap] }, undefined, 2);
}

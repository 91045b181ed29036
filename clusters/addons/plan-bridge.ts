import { getIpFamily } from "../spec/address-ranges.ts";

/** A node with the podCIDRs that the controller manager has assigned. */
export interface NodeWithPodCidrs {
  readonly name: string;
  readonly address: string;
  readonly address6?: string;
  /** Node.spec.podCIDRs */
  readonly podCidrs: readonly string[];
}

/** Configuration of a node for a pod network of the reference plugins bridge and host-local. */
interface BridgeNetwork {
  readonly node: string;
  /** Text of the CNI configuration of Multus' delegate. */
  readonly conflist: string;
  /** Commands that add the routes to the other nodes' pods, and the masquerade rules of the pod network. */
  readonly commands: readonly (readonly string[])[];
}

/** Path of the CNI configuration: in the directory of Multus' delegates. */
export const BRIDGE_CONFLIST = "/etc/cni/multus/net.d/10-bridge.conflist";

/**
 * Returns the pod network of every node, like kindnet's: the node's bridge has the first address of its podCIDRs, and the
 * podCIDRs of other nodes are routed through the nodes' addresses. Pure.
 *
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
        getIpFamily(cidr) === "ipv4" ? "iptables" : "ip6tables",
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

/** Returns the commands that add the routes to a node's pods. */
function listRoutes({ address, address6, podCidrs }: NodeWithPodCidrs): readonly (readonly string[])[] {
  return podCidrs.flatMap((cidr) => {
    const gateway = [address, address6].find(
      (candidate) => candidate !== undefined && getIpFamily(candidate) === getIpFamily(cidr),
    );
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

import type { LabMachines, LabNode } from "./machine-addresses.ts";

const PREFIX_LENGTH_6 = 64;
/** Bridge of the management network, for nodes with two links. */
const MANAGEMENT_BRIDGE = "br-mgmt";

/** A bridge. Its addresses are the gateways of its machines. */
interface LabBridge {
  readonly name: string;
  /** Addresses with prefix lengths. */
  readonly addresses: readonly string[];
}

/** A machine's link to a bridge. */
interface LabLink {
  readonly name: string;
  readonly bridge: string;
  /** Name of the bridge's end. */
  readonly port: string;
  /** MAC address, which a recreated machine keeps, as a network card does. */
  readonly mac: string;
  /** Addresses with prefix lengths. */
  readonly addresses: readonly string[];
  /** Gateways of the default routes that use this link. */
  readonly gateways: readonly string[];
}

/** Returns the lab's bridges: one for each rack; without racks one, and a second one for a management network. */
export function listBridges({ gateway, gateway6, prefixLength, racks, management }: LabMachines): readonly LabBridge[] {
  if (racks !== undefined)
    return racks.map((rack, index) => ({
      name: `br${index}`,
      addresses: [`${rack.gateway}/${rack.prefixLength}`],
    }));
  const main = {
    name: "br0",
    addresses: [`${gateway}/${prefixLength}`, ...(gateway6 === undefined ? [] : [`${gateway6}/${PREFIX_LENGTH_6}`])],
  };
  return management === undefined
    ? [main]
    : [main, { name: MANAGEMENT_BRIDGE, addresses: [`${management.gateway}/${management.prefixLength}`] }];
}

/** Returns the links of a machine. @throws for an unknown name */
export function listLinks(machines: LabMachines, name: string): readonly LabLink[] {
  const allMachines: readonly Pick<LabNode, "name" | "address" | "address6" | "rack" | "management">[] = [
    ...machines.nodes,
    machines.external,
  ];
  const number = allMachines.findIndex((candidate) => candidate.name === name);
  const machine = allMachines[number];
  if (machine === undefined) throw new Error(`unknown machine ${name}`);
  const rackNumber = machine.rack ?? 0;
  const rack = machines.racks?.[rackNumber];
  const prefixLength = rack?.prefixLength ?? machines.prefixLength;
  const hex = number.toString(16).padStart(2, "0");
  const { management } = machine;
  const main: LabLink = {
    name: management === undefined ? "eth0" : "eth1",
    bridge: `br${rackNumber}`,
    port: `m${number}`,
    mac: `02:6c:61:62:00:${hex}`,
    addresses: [
      `${machine.address}/${prefixLength}`,
      ...(machine.address6 === undefined ? [] : [`${machine.address6}/${PREFIX_LENGTH_6}`]),
    ],
    gateways: [
      ...(management === undefined ? [rack?.gateway ?? machines.gateway] : []),
      ...(machine.address6 === undefined || machines.gateway6 === undefined ? [] : [machines.gateway6]),
    ],
  };
  if (management === undefined || machines.management === undefined) return [main];
  return [
    {
      name: "eth0",
      bridge: MANAGEMENT_BRIDGE,
      port: `mgmt${number}`,
      mac: `02:6c:61:62:01:${hex}`,
      addresses: [`${management}/${machines.management.prefixLength}`],
      gateways: [machines.management.gateway],
    },
    main,
  ];
}

/**
 * nft rules of the router between racks, a stateful firewall: it accepts TCP packets of connections whose SYN it has seen, and
 * drops and counts the others.
 */
export const ROUTER_RULES = `
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct state new tcp flags & (fin | syn | rst | ack) == syn accept
    ct state new meta l4proto != tcp accept
    counter
  }
}
`;

/** Sysctls of the router. Its firewall does not see frames within a rack. */
export const ROUTER_SYSCTLS: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  "net.netfilter.nf_conntrack_tcp_loose": "0",
  "net.bridge.bridge-nf-call-iptables": "0",
  "net.bridge.bridge-nf-call-ip6tables": "0",
};

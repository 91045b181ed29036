import { type Ip, parseCidr, parseIp } from "../../datapath/address.ts";
import type { NodeAddresses } from "./node-addresses.ts";
import type { Observations } from "./observations.ts";
import { parsePoolTopology, type UnderlayTopology } from "./refuse-networks.ts";

/**
 * Returns the known networks, addresses and ranges of the underlay. Invalid texts are skipped. Pure.
 *
 * @param internalIps InternalIPs of this node
 * @param nodeAddresses other addresses of this node
 */
export function buildTopology(
  { nodeName, nodes, underlayPools }: Observations,
  internalIps: readonly Ip[],
  nodeAddresses: NodeAddresses,
): UnderlayTopology {
  const pools = underlayPools.flatMap((pool) => {
    try {
      return [{ ...pool, network: parseCidr(pool.subnet) }];
    } catch {
      return []; // IPAM reports the invalid pool
    }
  });
  const poolTopologies = pools.map(parsePoolTopology);
  const otherNodes = nodes.filter(({ name }) => name !== nodeName);
  return {
    subnets: [
      ...pools.map(({ name, network }) => ({ network, name: `UnderlayPool ${name}` })),
      ...nodeAddresses.wireNetworks.map(({ network, link }) => ({ network, name: `${link} of node ${nodeName}` })),
    ],
    addresses: [
      ...[...internalIps, ...nodeAddresses.wireAddresses].map((address) => ({
        address,
        name: `node ${nodeName}`,
        own: true,
      })),
      ...otherNodes.flatMap(({ name, addresses }) =>
        parseAddresses(addresses).map((address) => ({ address, name: `node ${name}`, own: false })),
      ),
      ...poolTopologies.flatMap(({ addresses }) => addresses),
    ],
    ranges: poolTopologies.flatMap(({ ranges }) => ranges),
  };
}

/** Parses addresses of a Node. Skips host names. */
function parseAddresses(texts: readonly string[]): readonly Ip[] {
  return texts.flatMap((text) => {
    try {
      return [parseIp(text)];
    } catch {
      return [];
    }
  });
}

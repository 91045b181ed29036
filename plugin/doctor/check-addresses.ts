import type { CellPattern, Finding, ProbeProtocol } from "./finding.ts";
import type { Snapshot } from "./node-snapshot.ts";

/** Protocols whose reply names the host that sent it. Both hosts answer a ping alike. */
const IDENTIFYING_PROTOCOLS: readonly ProbeProtocol[] = ["tcp", "udp"];

/** Finds addresses that two hosts have. The first ARP reply wins; the neighbour tables show whose it was. */
export function checkAddresses({ nodes, cluster }: Snapshot): readonly Finding[] {
  const holders = nodes.flatMap((node) =>
    node.attachments.flatMap(({ pod, addresses, mac, ifname, type }) =>
      addresses.map((address) => ({ address, pod: `${pod} ${ifname}`, name: pod, type, node: node.node, mac })),
    ),
  );
  const finding = (node: string, message: string, cells: readonly CellPattern[] = []): Finding => ({
    check: "duplicate-address",
    severity: cells.length > 0 ? "fails" : "warning",
    node,
    message: `${message}: connections to it reach one or the other.`,
    remedy: "Exclude the address in its UnderlayPool (spec.excluded) and recreate the pod.",
    cells,
  });
  const duplicates = holders.flatMap((one, index) =>
    holders
      .slice(index + 1)
      .filter((other) => other.address === one.address)
      .map((other) => finding(one.node, `${one.address} belongs to ${one.pod} and to ${other.pod} on ${other.node}`)),
  );
  const nodeAddresses = new Map((cluster?.nodes ?? []).flatMap((n) => n.addresses.map((a) => [a, n.name] as const)));
  const ofNodes = holders.flatMap((one) => {
    const owner = nodeAddresses.get(one.address);
    return owner === undefined
      ? []
      : [finding(one.node, `${one.address} of ${one.pod} is the address of node ${owner}`)];
  });
  const findOtherOwner = (address: string, mac: string) =>
    holders.find((one) => one.address === address && one.mac !== undefined && one.mac !== mac);
  const answered = nodes.flatMap((node) => [
    ...node.neighbours.flatMap(({ address, mac }) => {
      const owner = findOtherOwner(address, mac);
      return owner === undefined || owner.node === node.node
        ? []
        : [
            finding(
              node.node,
              `${mac} answers ${node.node} for ${address}, ${describeHolder(owner)}`,
              listNodeHolders(node.node, owner),
            ),
          ];
    }),
    ...node.attachments.flatMap(({ pod, neighbours }) =>
      neighbours.flatMap(({ address, mac }) => {
        const owner = findOtherOwner(address, mac);
        return owner === undefined
          ? []
          : [
              finding(
                node.node,
                `${mac} answers ${pod} for ${address}, ${describeHolder(owner)}`,
                listPodHolders(pod, owner),
              ),
            ];
      }),
    ),
  ]);
  const reported = (cluster?.addresses ?? []).flatMap(({ address, conflict }) =>
    conflict === undefined ? [] : [finding("", `${address} is in use by another host on the wire (${conflict})`)],
  );
  return [...duplicates, ...ofNodes, ...answered, ...reported];
}

interface Holder {
  readonly name: string;
  readonly pod: string;
  readonly type: string;
  readonly mac: string | undefined;
}

const describeHolder = ({ pod, mac }: Holder): string => `which belongs to ${pod} (${mac ?? ""})`;

/** Lists the cells that use the node's neighbour table: from the node, its overlay pods, and clients of a Service there. */
function listNodeHolders(node: string, { name, type }: Holder): readonly CellPattern[] {
  const to = { sourceNode: node, targetPod: name, protocols: IDENTIFYING_PROTOCOLS };
  return type === "underlay"
    ? [
        { ...to, sources: ["node", "overlay"], targets: ["underlay"] },
        { ...to, targets: ["underlay-service"] },
      ]
    : [{ ...to, sources: ["node", "overlay"], targets: ["multi-nic:net1"] }];
}

function listPodHolders(source: string, { name, type }: Holder): readonly CellPattern[] {
  return [
    {
      sourcePod: source,
      sources: ["underlay", "multi-nic"],
      targetPod: name,
      targets: [type === "underlay" ? "underlay" : "multi-nic:net1"],
      protocols: IDENTIFYING_PROTOCOLS,
    },
  ];
}

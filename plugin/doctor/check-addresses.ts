import type { CellPattern, Finding, ProbeProtocol } from "./finding.ts";
import type { Snapshot } from "./node-snapshot.ts";

/** Protocols whose reply identifies the host; both hosts answer a ping in the same way. */
const IDENTIFYING_PROTOCOLS: readonly ProbeProtocol[] = ["tcp", "udp"];

/** Finds addresses that two hosts use. The first ARP reply wins; the neighbour tables show which host sent it. */
export function checkAddresses({ nodes, cluster }: Snapshot): readonly Finding[] {
  const holders = nodes.flatMap((node) =>
    node.attachments.flatMap(({ pod, addresses, mac, ifname, type }) =>
      addresses.map((address) => ({ address, pod: `${pod} ${ifname}`, name: pod, type, node: node.node, mac })),
    ),
  );
  const createFinding = (node: string, message: string, cells: readonly CellPattern[] = []): Finding => ({
    check: "duplicate-address",
    severity: cells.length > 0 ? "fails" : "warning",
    node,
    message: `${message}: connections to it reach one or the other.`,
    remedy: "Exclude the address in its UnderlayPool (spec.excluded) and recreate the pod.",
    cells,
  });
  const duplicates = holders.flatMap((holder, index) =>
    holders
      .slice(index + 1)
      .filter((otherHolder) => otherHolder.address === holder.address)
      .map((otherHolder) =>
        createFinding(
          holder.node,
          `${holder.address} belongs to ${holder.pod} and to ${otherHolder.pod} on ${otherHolder.node}`,
        ),
      ),
  );
  const nodeAddresses = new Map(
    (cluster?.nodes ?? []).flatMap((nodeObject) =>
      nodeObject.addresses.map((address) => [address, nodeObject.name] as const),
    ),
  );
  const ofNodes = holders.flatMap((holder) => {
    const owner = nodeAddresses.get(holder.address);
    return owner === undefined
      ? []
      : [createFinding(holder.node, `${holder.address} of ${holder.pod} is the address of node ${owner}`)];
  });
  const findOtherOwner = (address: string, mac: string) =>
    holders.find((holder) => holder.address === address && holder.mac !== undefined && holder.mac !== mac);
  const answered = nodes.flatMap((node) => [
    ...node.neighbours.flatMap(({ address, mac }) => {
      const owner = findOtherOwner(address, mac);
      return owner === undefined || owner.node === node.node
        ? []
        : [
            createFinding(
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
              createFinding(
                node.node,
                `${mac} answers ${pod} for ${address}, ${describeHolder(owner)}`,
                listPodHolders(pod, owner),
              ),
            ];
      }),
    ),
  ]);
  const reported = (cluster?.addresses ?? []).flatMap(({ address, conflict }) =>
    conflict === undefined ? [] : [createFinding("", `${address} is in use by another host on the wire (${conflict})`)],
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

/** Lists the cells that use the node's neighbour table: from the node, its overlay pods, and clients of its Services. */
function listNodeHolders(node: string, { name, type }: Holder): readonly CellPattern[] {
  const target = { sourceNode: node, targetPod: name, protocols: IDENTIFYING_PROTOCOLS };
  return type === "underlay"
    ? [
        { ...target, sources: ["node", "overlay"], targets: ["underlay"] },
        { ...target, targets: ["underlay-service"] },
      ]
    : [{ ...target, sources: ["node", "overlay"], targets: ["multi-nic:net1"] }];
}

/** Lists the cells that use the source pod's neighbour table. */
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

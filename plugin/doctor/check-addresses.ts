import type { CellPattern, Finding, Protocol } from "./finding.ts";
import type { Snapshot } from "./snapshot.ts";

/** The stranger may well answer a ping: nobody can tell by whom that was answered. */
const TOLD_APART: readonly Protocol[] = ["tcp", "udp"];

/** Two hosts with one address: whoever answers first is believed; by whom, the neighbour tables say. */
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
    message: `${message}: connections to it reach the one or the other.`,
    remedy: "Exclude the address in its UnderlayPool (spec.excluded) and make the pod anew.",
    cells,
  });
  const twice = holders.flatMap((one, index) =>
    holders
      .slice(index + 1)
      .filter((other) => other.address === one.address)
      .map((other) => finding(one.node, `${one.address} belongs to ${one.pod} and to ${other.pod} on ${other.node}`)),
  );
  const nodeAddresses = new Map((cluster?.nodes ?? []).flatMap((n) => n.addresses.map((a) => [a, n.name] as const)));
  const nodes_ = holders.flatMap((one) => {
    const owner = nodeAddresses.get(one.address);
    return owner === undefined
      ? []
      : [finding(one.node, `${one.address} of ${one.pod} is the address of node ${owner}`)];
  });
  const strangerFor = (address: string, mac: string) =>
    holders.find((one) => one.address === address && one.mac !== undefined && one.mac !== mac);
  const answered = nodes.flatMap((node) => [
    ...node.neighbours.flatMap(({ address, mac }) => {
      const owner = strangerFor(address, mac);
      return owner === undefined || owner.node === node.node
        ? []
        : [
            finding(
              node.node,
              `${mac} answers ${node.node} for ${address}, ${belongs(owner)}`,
              byNode(node.node, owner),
            ),
          ];
    }),
    ...node.attachments.flatMap(({ pod, neighbours }) =>
      neighbours.flatMap(({ address, mac }) => {
        const owner = strangerFor(address, mac);
        return owner === undefined
          ? []
          : [finding(node.node, `${mac} answers ${pod} for ${address}, ${belongs(owner)}`, byPod(pod, owner))];
      }),
    ),
  ]);
  const known = (cluster?.addresses ?? []).flatMap(({ address, conflict }) =>
    conflict === undefined ? [] : [finding("", `${address} is in use by another host on the wire (${conflict})`)],
  );
  return [...twice, ...nodes_, ...answered, ...known];
}

interface Holder {
  readonly name: string;
  readonly pod: string;
  readonly type: string;
  readonly mac: string | undefined;
}

const belongs = ({ pod, mac }: Holder): string => `which belongs to ${pod} (${mac ?? ""})`;

/** The node itself, its overlay pods, and whoever asks for the Service there: these go by the node's table. */
function byNode(node: string, { name, type }: Holder): readonly CellPattern[] {
  const to = { sourceNode: node, targetPod: name, protocols: TOLD_APART };
  return type === "underlay"
    ? [
        { ...to, sources: ["node", "overlay"], targets: ["underlay"] },
        { ...to, targets: ["underlay-service"] },
      ]
    : [{ ...to, sources: ["node", "overlay"], targets: ["multi-nic:net1"] }];
}

function byPod(source: string, { name, type }: Holder): readonly CellPattern[] {
  return [
    {
      sourcePod: source,
      sources: ["underlay", "multi-nic"],
      targetPod: name,
      targets: [type === "underlay" ? "underlay" : "multi-nic:net1"],
      protocols: TOLD_APART,
    },
  ];
}

import type { Finding } from "./finding.ts";
import type { Snapshot } from "./snapshot.ts";

/** Two hosts with one address: whoever answers first is believed. */
export function checkAddresses({ nodes, cluster }: Snapshot): readonly Finding[] {
  const holders = nodes.flatMap((node) =>
    node.attachments.flatMap(({ pod, addresses, mac, ifname }) =>
      addresses.map((address) => ({ address, pod: `${pod} ${ifname}`, node: node.node, mac })),
    ),
  );
  const finding = (node: string, message: string): Finding => ({
    check: "duplicate-address",
    severity: "warning",
    node,
    message: `${message}: connections to it reach the one or the other.`,
    remedy: "Exclude the address in its UnderlayPool (spec.excluded) and make the pod anew.",
    cells: [],
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
  const answered = nodes.flatMap((node) =>
    node.neighbours.flatMap(({ address, mac }) => {
      const owner = holders.find((one) => one.address === address && one.node !== node.node);
      return owner?.mac === undefined || owner.mac === mac
        ? []
        : [
            finding(
              node.node,
              `${mac} answers on the wire for ${address}, which belongs to ${owner.pod} (${owner.mac})`,
            ),
          ];
    }),
  );
  const known = (cluster?.addresses ?? []).flatMap(({ address, conflict }) =>
    conflict === undefined ? [] : [finding("", `${address} is in use by another host on the wire (${conflict})`)],
  );
  return [...twice, ...nodes_, ...answered, ...known];
}

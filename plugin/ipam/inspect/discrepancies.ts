import { familyOf, parseIp } from "../../datapath/address.ts";
import type { UnderlayAddressObject } from "../../agent/objects.ts";
import { overlapping, poolOf } from "../choose.ts";
import { parsePools } from "../pools.ts";
import type { ClusterAddresses } from "./observe-cluster.ts";
import type { NodeAddresses } from "./snapshot.ts";

/** Something that objects, records and kernels do not agree on. */
export interface Discrepancy {
  readonly what:
    | "pod-gone"
    | "conflict"
    | "no-object"
    | "two-holders"
    | "not-on-link"
    | "twice"
    | "two-of-one"
    | "pool-gives-nothing";
  readonly address: string;
  /** `error`: two may have one address, or one does not work. `note`: it is known, or passes. */
  readonly severity: "error" | "note";
  /** One sentence. */
  readonly message: string;
  /** What to do; empty: nothing. */
  readonly remedy: string;
  /** The object that `check --repair` deletes. */
  readonly release?: UnderlayAddressObject;
}

const FINISHED_PHASES = ["Succeeded", "Failed"];

/** Pure. Of nodes that are not among `nodes` nothing is known, so nothing of theirs is released. */
export function findDiscrepancies(cluster: ClusterAddresses, nodes: readonly NodeAddresses[]): readonly Discrepancy[] {
  return [
    ...cluster.addresses.flatMap((object) => checkObject(object, cluster, nodes)),
    ...nodes.flatMap((node) => checkNodeRecords(node, cluster)),
    ...findDuplicateLinks(nodes),
    ...findDuplicateClaims(cluster),
    ...findUnusablePools(cluster),
  ];
}

function checkObject(
  object: UnderlayAddressObject,
  { pods }: ClusterAddresses,
  nodes: readonly NodeAddresses[],
): readonly Discrepancy[] {
  const { address, pod, conflict, reserve, node, owner } = object.spec;
  if (conflict !== undefined)
    return [
      {
        ...{ what: "conflict", severity: "note", address },
        message: `${address} is in use on the wire by another host (${conflict}): it is given to nobody.`,
        remedy: `When that host is gone: interlay ipam release ${address}`,
      },
    ];
  if (reserve) return [];
  const lives = pods.some(
    ({ metadata, status }) => metadata.uid === pod.uid && !FINISHED_PHASES.includes(status.phase),
  );
  if (lives || owner?.kind === "StatefulSet") return [];
  const its = nodes.find((one) => one.node === node);
  const stillOnLink = its?.kernel.some((one) => one.address === address) === true;
  const may = its !== undefined && !stillOnLink;
  return [
    {
      ...{ what: "pod-gone", severity: "note", address },
      message: `${address} is held by pod ${pod.namespace}/${pod.name} on ${node}, which is gone${stillOnLink ? ", but its container is still there" : ""}.`,
      remedy: may
        ? "The agents give it back after their delay; check --repair does now."
        : "The agents give it back when that node says so, or is gone.",
      ...(may ? { release: object } : {}),
    },
  ];
}

function checkNodeRecords(
  { node, records, kernel }: NodeAddresses,
  { addresses }: ClusterAddresses,
): readonly Discrepancy[] {
  return records.flatMap((record): readonly Discrepancy[] => {
    const { address, pod, ifname, containerId } = record;
    if (record.released || !record.alive) return [];
    const object = addresses.find(({ metadata }) => metadata.name === record.name);
    const who = `${ifname} of pod ${pod.namespace}/${pod.name} on ${node}`;
    if (object === undefined)
      return [
        {
          ...{ what: "no-object", severity: "error", address },
          message: `${address} is on ${who}, and has no UnderlayAddress: it could be given to another pod.`,
          remedy: "The agent of that node takes it again within seconds; is it running?",
        },
      ];
    const foreign = object.spec.pod.uid !== pod.uid && !(object.spec.reserve === true && object.spec.node === node);
    if (foreign)
      return [
        {
          ...{ what: "two-holders", severity: "error", address },
          message: `${address} is on ${who}, and is given to pod ${object.spec.pod.namespace}/${object.spec.pod.name} on ${object.spec.node}.`,
          remedy: `Delete pod ${pod.namespace}/${pod.name}.`,
        },
      ];
    const onLink = kernel.some(
      (one) => one.address === address && one.containerId === containerId && one.ifname === ifname,
    );
    return onLink
      ? []
      : [
          {
            ...{ what: "not-on-link", severity: "error", address },
            message: `${address} is given to ${who}, and is not on that link.`,
            remedy: `A call of ADD may be under way; if it stays, delete pod ${pod.namespace}/${pod.name}.`,
          },
        ];
  });
}

function findDuplicateLinks(nodes: readonly NodeAddresses[]): readonly Discrepancy[] {
  const all = nodes.flatMap(({ node, kernel }) => kernel.map((one) => ({ ...one, node })));
  return all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => other.address === one.address)
      .map((other) => ({
        ...{ what: "twice" as const, severity: "error" as const, address: one.address },
        message: `${one.address} is on ${one.ifname} of ${one.pod} on ${one.node} and on ${other.ifname} of ${other.pod} on ${other.node}.`,
        remedy: "Delete the pod that does not hold the UnderlayAddress.",
      })),
  );
}

function findDuplicateClaims({ addresses }: ClusterAddresses): readonly Discrepancy[] {
  const nicOf = ({ spec }: UnderlayAddressObject): string =>
    `${familyOf(parseIp(spec.address))} of ${spec.ifname} of pod ${spec.pod.namespace}/${spec.pod.name} (${spec.pod.uid})`;
  const byNic = new Map<string, string[]>();
  for (const object of addresses)
    if (object.spec.reserve !== true && object.spec.conflict === undefined)
      byNic.set(nicOf(object), [...(byNic.get(nicOf(object)) ?? []), object.spec.address]);
  return [...byNic].flatMap(([nic, held]) =>
    held.length < 2
      ? []
      : [
          {
            ...{ what: "two-of-one" as const, severity: "note" as const, address: held[0] ?? "" },
            message: `${held.join(" and ")} are both held for ${nic}: an answer was lost.`,
            remedy: "The agent of its node gives back what is not on the link.",
          },
        ],
  );
}

function findUnusablePools({ pools, addresses }: ClusterAddresses): readonly Discrepancy[] {
  const { valid: good, invalid: bad } = parsePools(pools);
  const gives = (name: string, why: string): Discrepancy => ({
    ...{ what: "pool-gives-nothing", severity: "error", address: "", remedy: "Change its ranges." },
    message: `UnderlayPool ${name} gives nothing: ${why}.`,
  });
  const drained = addresses.filter(({ spec }) => poolOf(good, parseIp(spec.address)) === undefined);
  return [
    ...[...bad].map(([name, problem]) => gives(name, problem)),
    ...[...overlapping(good)].map(([name, other]) => gives(name, `it overlaps with the earlier ${other}`)),
    ...drained.map(({ spec }) => ({
      ...{ what: "pool-gives-nothing" as const, severity: "note" as const, address: spec.address },
      message: `${spec.address} of pod ${spec.pod.namespace}/${spec.pod.name} is in no pool's ranges any more.`,
      remedy: "It is gone with its pod.",
    })),
  ];
}

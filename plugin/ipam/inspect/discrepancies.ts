import { hasFinished } from "../../kubernetes/pod-phase.ts";
import { getFamily, parseIp } from "../../datapath/address.ts";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { findOverlappingPools, findPool } from "../pool/select-pools.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { ClusterAddresses } from "./observe-cluster-addresses.ts";
import type { NodeAddressSnapshot } from "./node-addresses-snapshot.ts";

/** A difference between objects, records and kernels. */
export interface Discrepancy {
  readonly what:
    | "pod-gone"
    | "conflict"
    | "no-object"
    | "two-holders"
    | "not-on-link"
    | "twice"
    | "two-of-one"
    | "pool-gives-nothing"
    | "invalid-object";
  readonly address: string;
  /** `error`: two pods may have one address, or one does not work. `note`: expected or temporary. */
  readonly severity: "error" | "note";
  /** One sentence. */
  readonly message: string;
  /** Action for the user; empty if none is needed. */
  readonly remedy: string;
  /** The object that `check --repair` deletes. */
  readonly release?: UnderlayAddressObject;
}

/** Pure. Addresses of nodes that are not in `nodes` are never released. */
export function findDiscrepancies(
  cluster: ClusterAddresses,
  nodes: readonly NodeAddressSnapshot[],
): readonly Discrepancy[] {
  return [
    ...cluster.addresses.flatMap((object) => checkObject(object, cluster, nodes)),
    ...nodes.flatMap((node) => checkNodeRecords(node, cluster)),
    ...findDuplicateLinks(nodes),
    ...findDuplicateClaims(cluster),
    ...findUnusablePools(cluster),
    ...cluster.invalid.map(reportInvalidObject),
  ];
}

function reportInvalidObject(problem: string): Discrepancy {
  return {
    what: "invalid-object",
    severity: "error",
    address: "",
    message: `${problem}.`,
    remedy: "Correct or delete the object: nothing reads it, and its name stays taken.",
  };
}

function checkObject(
  object: UnderlayAddressObject,
  { pods }: ClusterAddresses,
  nodes: readonly NodeAddressSnapshot[],
): readonly Discrepancy[] {
  const { address, pod, conflict, reserve, node, owner } = object.spec;
  if (conflict !== undefined)
    return [
      {
        what: "conflict",
        severity: "note",
        address,
        message: `${address} is in use by another host (${conflict}); it is not allocated.`,
        remedy: `After that host is removed: interlay ipam release ${address}`,
      },
    ];
  if (reserve) return [];
  const podExists = pods.some(({ metadata, status }) => metadata.uid === pod.uid && !hasFinished(status));
  if (podExists || owner?.kind === "StatefulSet" || isFreeOfSet(object)) return [];
  const snapshot = nodes.find((candidate) => candidate.node === node);
  const stillOnLink = snapshot?.kernel.some((linkAddress) => linkAddress.address === address) === true;
  const isReleasable = snapshot !== undefined && !stillOnLink;
  return [
    {
      what: "pod-gone",
      severity: "note",
      address,
      message: `${address} is held by pod ${pod.namespace}/${pod.name} on ${node}, which does not exist${stillOnLink ? ", but its container does" : ""}.`,
      remedy: isReleasable
        ? "The agents release it after their delay; check --repair releases it now."
        : "The agents release it when that node reports it, or is deleted.",
      ...(isReleasable ? { release: object } : {}),
    },
  ];
}

function isFreeOfSet({ spec }: UnderlayAddressObject): boolean {
  return spec.set !== undefined && spec.containerId === "";
}

function checkNodeRecords(
  { node, records, kernel }: NodeAddressSnapshot,
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
          what: "no-object",
          severity: "error",
          address,
          message: `${address} is on ${who} without an UnderlayAddress: another pod could get it.`,
          remedy: "The agent of that node recreates the object within seconds; check that it runs.",
        },
      ];
    const foreign = object.spec.pod.uid !== pod.uid && !(object.spec.reserve === true && object.spec.node === node);
    if (foreign)
      return [
        {
          what: "two-holders",
          severity: "error",
          address,
          message: `${address} is on ${who}, but belongs to pod ${object.spec.pod.namespace}/${object.spec.pod.name} on ${object.spec.node}.`,
          remedy: `Delete pod ${pod.namespace}/${pod.name}.`,
        },
      ];
    const onLink = kernel.some(
      (linkAddress) =>
        linkAddress.address === address && linkAddress.containerId === containerId && linkAddress.ifname === ifname,
    );
    return onLink
      ? []
      : [
          {
            what: "not-on-link",
            severity: "error",
            address,
            message: `${address} is allocated to ${who}, but is not on that link.`,
            remedy: `An ADD may be running; if this stays, delete pod ${pod.namespace}/${pod.name}.`,
          },
        ];
  });
}

function findDuplicateLinks(nodes: readonly NodeAddressSnapshot[]): readonly Discrepancy[] {
  const linkAddresses = nodes.flatMap(({ node, kernel }) => kernel.map((linkAddress) => ({ ...linkAddress, node })));
  return linkAddresses.flatMap((first, index) =>
    linkAddresses
      .slice(index + 1)
      .filter((second) => second.address === first.address)
      .map((second) => ({
        what: "twice" as const,
        severity: "error" as const,
        address: first.address,
        message: `${first.address} is on ${first.ifname} of ${first.pod} on ${first.node} and on ${second.ifname} of ${second.pod} on ${second.node}.`,
        remedy: "Delete the pod that does not hold the UnderlayAddress.",
      })),
  );
}

function findDuplicateClaims({ addresses }: ClusterAddresses): readonly Discrepancy[] {
  const formatNic = ({ spec }: UnderlayAddressObject): string =>
    `${getFamily(parseIp(spec.address))} of ${spec.ifname} of pod ${spec.pod.namespace}/${spec.pod.name} (${spec.pod.uid})`;
  const byNic = new Map<string, string[]>();
  for (const object of addresses)
    if (object.spec.reserve !== true && object.spec.conflict === undefined && !isFreeOfSet(object))
      byNic.set(formatNic(object), [...(byNic.get(formatNic(object)) ?? []), object.spec.address]);
  return [...byNic].flatMap(([nic, held]) =>
    held.length < 2
      ? []
      : [
          {
            what: "two-of-one" as const,
            severity: "note" as const,
            address: held[0] ?? "",
            message: `${held.join(" and ")} are both held for ${nic}: a response was lost.`,
            remedy: "The agent of its node releases the address that is not on the link.",
          },
        ],
  );
}

function findUnusablePools({ pools, addresses }: ClusterAddresses): readonly Discrepancy[] {
  const { valid: validPools, invalid: invalidPools } = parsePools(pools);
  const reportUnusablePool = (name: string, reason: string): Discrepancy => ({
    what: "pool-gives-nothing",
    severity: "error",
    address: "",
    remedy: "Change its ranges.",
    message: `UnderlayPool ${name} is unusable: ${reason}.`,
  });
  const drained = addresses.filter(({ spec }) => findPool(validPools, parseIp(spec.address)) === undefined);
  return [
    ...[...invalidPools].map(([name, problem]) => reportUnusablePool(name, problem)),
    ...[...findOverlappingPools(validPools)].map(([name, other]) =>
      reportUnusablePool(name, `it overlaps with the earlier ${other}`),
    ),
    ...drained.map(({ spec }) => ({
      what: "pool-gives-nothing" as const,
      severity: "note" as const,
      address: spec.address,
      message: `${spec.address} of pod ${spec.pod.namespace}/${spec.pod.name} is no longer in a pool's ranges.`,
      remedy: "It is released with its pod.",
    })),
  ];
}

import { join } from "node:path";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { roundToHundredth, median, computePercentile, roundToTenth } from "../measurement/statistics.ts";
import { NodeFleet } from "./fleet.ts";
import type { WorkerMessage, WorkerOutcome } from "./orders.ts";
import { countAddressWrites, clearAddresses, createPools } from "./cluster-objects.ts";

export interface Scale {
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly atOnce: number;
}

export interface AllocationContext {
  readonly kube: KubeClient;
  /** The API server's /metrics. */
  readonly metrics: () => Promise<string>;
  readonly directory: string;
  readonly nodes: readonly string[];
  readonly workers: Pick<WorkerMessage, "kubeconfig" | "namespace">;
}

const PODS_FOR_SIZES = 100;
/** Limits for a pool of exactly 1,000 addresses. */
const THOUSAND = { addresses: 1000, milliseconds: 20_000 };
/** Limit of writes per address for that pool, and for many nodes at once: 0.05 refused creations. */
const WRITES = { nodes: 50, perAddress: 1.05 };

/**
 * Measures pools with exactly as many addresses as are allocated, and with four times as many.
 *
 * @param cluster "filled" if other addresses are in use: they stay, and the pools have other names and subnets
 */
export async function measureAllocations(
  context: AllocationContext,
  scale: Scale,
  cluster: "empty" | "filled" = "empty",
): Promise<readonly Measurement[]> {
  const demand = scale.nodes * scale.podsPerNode;
  const pools = [
    { kind: "exact", size: demand },
    { kind: "large", size: 4 * demand },
  ].map(({ kind, size }, index) => ({
    kind,
    size,
    name: `${kind}-${cluster}-${scale.nodes}`,
    second: 2 * scale.nodes + index + (cluster === "filled" ? 120 : 0),
  }));
  await createPools(
    context.kube,
    pools.map(({ name, size, second }) => ({
      name,
      subnet: `10.${second}.0.0/16`,
      ranges: [`10.${second}.1.0-10.${second}.${1 + Math.floor((size - 1) / 256)}.${(size - 1) % 256}`],
    })),
  );
  const nodes = context.nodes.slice(0, scale.nodes).map((name) => ({ name, pods: scale.podsPerNode }));
  const fleet = await NodeFleet.start({
    ...context.workers,
    nodes,
    directory: join(context.directory, cluster, String(scale.nodes)),
  });
  const measurements: Measurement[] = [];
  try {
    for (const { kind, name, size } of pools) {
      const before = await countAddressWrites(context.metrics);
      const outcome = await fleet.order({ pools: [name], atOnce: scale.atOnce });
      const writes = ((await countAddressWrites(context.metrics)) - before) / demand;
      measurements.push(...toMeasurements(outcome, writes, { kind, size, demand, ...scale }));
    }
  } finally {
    await fleet.end();
    if (cluster === "empty") await clearAddresses(context.kube);
  }
  return measurements;
}

function toMeasurements(
  { given, failed, milliseconds }: WorkerOutcome & { readonly milliseconds: number },
  writes: number,
  settings: Scale & { readonly kind: string; readonly size: number; readonly demand: number },
): readonly Measurement[] {
  if (failed[0] !== undefined) process.stderr.write(`the first of ${failed.length} failures: ${failed[0]}\n`);
  const prefix = `${settings.nodes} ${settings.nodes === 1 ? "node" : "nodes at once"}, ${settings.kind === "exact" ? "exact pool" : "large pool"}`;
  const basis = `${settings.demand} addresses of ${settings.size}, ${settings.atOnce} parallel calls per node`;
  const duplicates = given.length - new Set(given.map(({ address }) => address)).size;
  const isLimited = settings.kind === "exact" && settings.demand === THOUSAND.addresses;
  const times = given.map((call) => call.milliseconds);
  return [
    { name: `${prefix}: addresses`, value: roundToTenth((1000 * given.length) / milliseconds), unit: "/s", basis },
    {
      name: `${prefix}: all`,
      value: roundToTenth(milliseconds),
      unit: "ms",
      basis,
      ...(isLimited ? { limit: THOUSAND.milliseconds } : {}),
    },
    { name: `${prefix}: one, p50`, value: roundToTenth(median(times)), unit: "ms", basis },
    { name: `${prefix}: one, p99`, value: roundToTenth(computePercentile(times, 0.99)), unit: "ms", basis },
    {
      name: `${prefix}: failed or allocated twice`,
      value: failed.length + duplicates,
      unit: "failures",
      limit: 0,
      basis,
    },
    {
      name: `${prefix}: writes per address`,
      value: roundToHundredth(writes),
      unit: "writes",
      ...(isLimited || settings.nodes >= WRITES.nodes ? { limit: WRITES.perAddress } : {}),
      basis: "apiserver_request_total, with rejected requests",
    },
  ];
}

/** Measures pools of three sizes alternately, so that disturbances affect all of them. */
export async function measureSizes({
  kube,
  workers,
  nodes: [name = ""],
  directory,
}: AllocationContext): Promise<readonly Measurement[]> {
  await createPools(kube, [
    { name: "small", subnet: "10.250.1.0/24", ranges: ["10.250.1.0/24"] },
    { name: "large", subnet: "11.0.0.0/8", ranges: ["11.0.0.0/8"] },
    { name: "large6", subnet: "fd77::/64", ranges: ["fd77::/64"] },
  ]);
  const fleet = await NodeFleet.start({
    ...workers,
    nodes: [{ name, pods: PODS_FOR_SIZES }],
    directory: join(directory, "sizes"),
  });
  try {
    const { given, failed } = await fleet.order({ pools: ["small", "large", "large6"], atOnce: 1 });
    if (failed[0] !== undefined) throw new Error(failed[0]);
    const findMedian = (pool: string) =>
      median(given.filter((call) => call.pool === pool).map((call) => call.milliseconds));
    const basis = `median of ${PODS_FOR_SIZES}, alternately, one at a time`;
    const compareWithSmall = (name: string, pool: string): Measurement => ({
      name: `an address of ${name} / of a /24`,
      value: roundToHundredth(findMedian(pool) / findMedian("small")),
      unit: "x",
      limit: 1.15,
      basis,
    });
    return [
      { name: "an address of a /24", value: roundToTenth(findMedian("small")), unit: "ms", basis },
      compareWithSmall("a /8", "large"),
      compareWithSmall("an IPv6 /64", "large6"),
    ];
  } finally {
    await fleet.end();
    await clearAddresses(kube);
  }
}

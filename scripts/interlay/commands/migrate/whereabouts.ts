import { z } from "zod";
import { type Family, getFamily, parseCidr, parseIp } from "../../../../plugin/datapath/address.ts";
import { fromNumber, parseRange } from "../../../../plugin/ipam/pool/address-space.ts";
import {
  convertAllocations,
  createObject,
  type ExistingPods,
  joinPlans,
  type MigrationPlan,
} from "./migration-plan.ts";
import { type DefinedPlugin, listDefinedPlugins, planNetwork } from "./network-definitions.ts";

/** whereabouts.cni.cncf.io/v1alpha1, IPPool. */
const ipPools = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        range: z.string(),
        /** By offset from the first address of the range. */
        allocations: z
          .record(
            z.string(),
            z.object({ id: z.string().default(""), podref: z.string(), ifname: z.string().default("net1") }),
          )
          .default({}),
      }),
    }),
  ),
});
const range = z.object({
  /** A network, or `FIRST-LAST/LENGTH`. */
  range: z.string(),
  range_start: z.string().optional(),
  range_end: z.string().optional(),
  exclude: z.array(z.string()).default([]),
});
type WhereaboutsRange = z.infer<typeof range>;
const ipam = z.object({
  type: z.literal("whereabouts"),
  ...range.partial().shape,
  ipRanges: z.array(range).default([]),
  gateway: z.string().optional(),
});
/** A network whose addresses come from whereabouts: its configuration has the gateway and limits that an IPPool lacks. */
interface WhereaboutsNetwork {
  readonly main: DefinedPlugin;
  readonly gateway: string | undefined;
  readonly ranges: readonly WhereaboutsRange[];
}

/**
 * Plans the migration from whereabouts: a pool for each range, an address object for each allocation, a network for each
 * macvlan network. Pure.
 */
export function planWhereaboutsMigration(pools: unknown, definitions: unknown, pods: ExistingPods): MigrationPlan {
  const networks = listDefinedPlugins(definitions).flatMap(readNetwork);
  const names = new Map<string, string>();
  const converted = ipPools.parse(pools).items.map(({ spec }): MigrationPlan => {
    const subnet = parseCidr(spec.range);
    const configuredRanges = networks.flatMap(({ gateway, ranges }) =>
      ranges.filter((candidate) => findSubnet(candidate) === subnet).map((match) => ({ ...match, gateway })),
    );
    const name = `whereabouts-${subnet.replaceAll(/[^0-9a-f]+/g, "-")}`;
    if (names.has(subnet)) return { objects: [], notes: [`${spec.range} is in two IPPools: merge them by hand.`] };
    names.set(subnet, name);
    const [firstRange] = configuredRanges;
    const allocations = Object.entries(spec.allocations).map(([offset, { id, podref, ifname }]) => ({
      address: addOffset(subnet, BigInt(offset)),
      pod: podref,
      containerId: id,
      ifname,
    }));
    const gateway = configuredRanges
      .map((configured) => configured.gateway)
      .find((text) => text !== undefined && isInSubnet(text, subnet));
    const pool = createObject("UnderlayPool", name, {
      subnet,
      ranges: [firstRange === undefined ? subnet : readLimits(firstRange, subnet)],
      excluded: [
        ...new Set([
          ...configuredRanges.flatMap(({ exclude }) => exclude),
          ...(gateway === undefined ? [] : [gateway]),
        ]),
      ],
      ...(gateway === undefined ? {} : { gateway }),
    });
    const limits = new Set(configuredRanges.map((configured) => readLimits(configured, subnet)));
    const notes =
      limits.size > 1
        ? [`IPPool ${spec.range}: its networks have the limits ${[...limits].join(", ")}; the pool has the first.`]
        : configuredRanges.length === 0
          ? [`IPPool ${spec.range}: no network uses it, so gateway and limits are unknown.`]
          : [];
    return joinPlans([{ objects: [pool], notes }, convertAllocations(name, allocations, pods)]);
  });
  return joinPlans([
    ...converted,
    ...networks.map(({ main, ranges }) => {
      const poolNames = ranges.flatMap((candidate) => names.get(findSubnet(candidate)) ?? []);
      return planNetwork(main, poolNames);
    }),
  ]);
}

function readNetwork(main: DefinedPlugin): readonly WhereaboutsNetwork[] {
  const { success, data } = ipam.safeParse(main.ipam);
  if (!success) return [];
  const ranges = [...(data.range === undefined ? [] : [range.parse(data)]), ...data.ipRanges];
  return [{ main, gateway: data.gateway, ranges }];
}

function findSubnet({ range }: WhereaboutsRange): string {
  return parseCidr(range.replace(/^.*-/, ""));
}

/** Returns the limits of a range in its subnet; the subnet if it has none. */
function readLimits({ range, range_start: start, range_end: end }: WhereaboutsRange, subnet: string): string {
  const limits = /^(.+)-(.+)\/\d+$/.exec(range);
  const [first, last] = [start ?? limits?.[1], end ?? limits?.[2]];
  if (first === undefined && last === undefined) return subnet;
  const subnetRange = parseRange(subnet);
  const format = (address: bigint) => fromNumber(address, findFamily(subnet));
  return `${first ?? format(subnetRange.first + 1n)}-${last ?? format(subnetRange.last - 1n)}`;
}

function isInSubnet(address: string, subnet: string): boolean {
  if (findFamily(address) !== findFamily(subnet)) return false;
  const { first, last } = parseRange(subnet);
  const value = parseRange(address).first;
  return first <= value && value <= last;
}

function findFamily(text: string): Family {
  return getFamily(parseIp(text.split("/")[0] ?? ""));
}

function addOffset(subnet: string, offset: bigint): string {
  return fromNumber(parseRange(subnet).first + offset, findFamily(subnet));
}

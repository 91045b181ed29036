import { z } from "zod";
import { getFamily, parseCidr, parseIp } from "../../../../plugin/datapath/address.ts";
import { fromNumber, parseRange } from "../../../../plugin/ipam/pool/address-space.ts";
import {
  convertAllocations,
  createObject,
  type ExistingPods,
  type ForeignAllocation,
  joinPlans,
  type MigrationPlan,
} from "./migration-plan.ts";
import { type DefinedPlugin, listDefinedPlugins, planNetwork } from "./network-definitions.ts";

const range = z.object({
  subnet: z.string(),
  rangeStart: z.string().optional(),
  rangeEnd: z.string().optional(),
  gateway: z.string().optional(),
});
/** host-local has lists of ranges, or one range of the older form next to them. */
const ipam = z.looseObject({
  type: z.literal("host-local"),
  ranges: z.array(z.array(range)).default([]),
  subnet: z.string().optional(),
});
/** A network whose addresses come from host-local. */
interface HostLocalNetwork {
  readonly main: DefinedPlugin;
  readonly ranges: readonly z.infer<typeof range>[];
}

/**
 * Plans the migration from host-local: a pool for each range of a NetworkAttachmentDefinition, an address object for each address
 * that Multus reports of a running pod, a network for each macvlan network. Pure.
 */
export function planHostLocalMigration(definitions: unknown, pods: ExistingPods): MigrationPlan {
  const networks = listDefinedPlugins(definitions).flatMap(readNetwork);
  const pools = new Map<string, string>();
  const plans: MigrationPlan[] = [];
  const holders = new Map<string, string>();
  for (const network of networks) {
    const names: string[] = [];
    for (const addressRange of network.ranges) {
      const subnet = parseCidr(addressRange.subnet);
      const space =
        addressRange.rangeStart === undefined
          ? subnet
          : `${addressRange.rangeStart}-${addressRange.rangeEnd ?? lastAddress(subnet)}`;
      const existingPool = pools.get(space);
      const name = existingPool ?? `host-local-${space.replaceAll(/[^0-9a-f]+/g, "-")}`;
      names.push(name);
      if (existingPool !== undefined) continue;
      pools.set(space, name);
      const { gateway } = addressRange;
      const pool = createObject("UnderlayPool", name, {
        subnet,
        ranges: [space],
        ...(gateway === undefined ? {} : { gateway, excluded: [gateway] }),
      });
      plans.push({ objects: [pool], notes: [] }, convertPods(name, space, pods, holders));
    }
    plans.push(planNetwork(network.main, names));
  }
  return joinPlans(plans);
}

function readNetwork(main: DefinedPlugin): readonly HostLocalNetwork[] {
  const { success, data } = ipam.safeParse(main.ipam);
  if (!success) return [];
  const olderForm = range.safeParse(data);
  return [{ main, ranges: [...data.ranges.flat(), ...(olderForm.success ? [olderForm.data] : [])] }];
}

/** Converts the addresses that Multus reports of running pods: host-local itself records addresses only on each node. */
function convertPods(pool: string, space: string, pods: ExistingPods, holders: Map<string, string>): MigrationPlan {
  const { first, last } = parseRange(space);
  const allocations: ForeignAllocation[] = [];
  const notes: string[] = [];
  for (const [pod, { uid, interfaces = [] }] of pods)
    for (const { ifname, addresses } of interfaces)
      for (const address of addresses) {
        const value = parseRange(address).first;
        if (address.includes(":") !== space.includes(":") || value < first || value > last) continue;
        const holder = holders.get(address);
        if (holder !== undefined) {
          notes.push(
            `${address}: pods ${holder} and ${pod} have it, because host-local knows one node only. Delete one.`,
          );
          continue;
        }
        holders.set(address, pod);
        allocations.push({ address, pod, podUid: uid, containerId: "", ifname });
      }
  return joinPlans([{ objects: [], notes }, convertAllocations(pool, allocations, pods)]);
}

/** Returns the last address of a subnet that host-local assigns, which is not the broadcast address. */
function lastAddress(subnet: string): string {
  const { last } = parseRange(subnet);
  const family = getFamily(parseIp(subnet.split("/")[0] ?? ""));
  return fromNumber(family === "ipv4" ? last - 1n : last, family);
}

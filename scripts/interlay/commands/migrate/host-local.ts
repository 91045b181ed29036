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

const networks = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ config: z.string().default("") }).default({ config: "" }),
    }),
  ),
});
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
const plugin = z.looseObject({ type: z.string(), master: z.string().optional(), ipam: z.unknown().optional() });
const config = z.looseObject({ name: z.string().default(""), plugins: z.array(plugin).optional() });

interface HostLocalNetwork {
  readonly title: string;
  readonly name: string;
  readonly type: string;
  readonly master: string | undefined;
  readonly ranges: readonly z.infer<typeof range>[];
}

/**
 * Plans the migration from host-local: a pool for each range of a NetworkAttachmentDefinition, an address object for each address
 * that Multus reports of a running pod, a network for each macvlan network. Pure.
 */
export function planHostLocalMigration(definitions: unknown, pods: ExistingPods): MigrationPlan {
  const found = networks.parse(definitions).items.flatMap(readNetwork);
  const pools = new Map<string, string>();
  const plans: MigrationPlan[] = [];
  const holders = new Map<string, string>();
  for (const network of found) {
    const names: string[] = [];
    for (const one of network.ranges) {
      const subnet = parseCidr(one.subnet);
      const space = one.rangeStart === undefined ? subnet : `${one.rangeStart}-${one.rangeEnd ?? lastAddress(subnet)}`;
      const known = pools.get(space);
      const name = known ?? `host-local-${space.replaceAll(/[^0-9a-f]+/g, "-")}`;
      names.push(name);
      if (known !== undefined) continue;
      pools.set(space, name);
      const { gateway } = one;
      const pool = createObject("UnderlayPool", name, {
        subnet,
        ranges: [space],
        ...(gateway === undefined ? {} : { gateway, excluded: [gateway] }),
      });
      plans.push({ objects: [pool], notes: [] }, convertPods(name, space, pods, holders));
    }
    plans.push(planNetwork(network, names));
  }
  return joinPlans(plans);
}

function readNetwork({ metadata, spec }: z.infer<typeof networks>["items"][number]): readonly HostLocalNetwork[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(spec.config);
  } catch {
    return []; // a file on the nodes
  }
  const whole = config.safeParse(parsed);
  const list = whole.success ? (whole.data.plugins ?? [parsed]) : [];
  return list.flatMap((one) => {
    const main = plugin.safeParse(one);
    const own = main.success ? ipam.safeParse(main.data.ipam) : undefined;
    if (main.data === undefined || own?.data === undefined) return [];
    const older = range.safeParse(own.data);
    const ranges = [...own.data.ranges.flat(), ...(older.success ? [older.data] : [])];
    const title = `${metadata.namespace}/${metadata.name}`;
    return [{ title, name: metadata.name, type: main.data.type, master: main.data.master, ranges }];
  });
}

/** host-local records addresses on each node; Multus reports those of running pods in their annotations. */
function convertPods(pool: string, space: string, pods: ExistingPods, holders: Map<string, string>): MigrationPlan {
  const { first, last } = parseRange(space);
  const allocations: ForeignAllocation[] = [];
  const notes: string[] = [];
  for (const [pod, { uid, interfaces = [] }] of pods)
    for (const { ifname, addresses } of interfaces)
      for (const address of addresses) {
        const value = parseRange(address).first;
        if (address.includes(":") !== space.includes(":") || value < first || value > last) continue;
        const other = holders.get(address);
        if (other !== undefined) {
          notes.push(
            `${address}: pods ${other} and ${pod} have it, because host-local knows one node only. Delete one.`,
          );
          continue;
        }
        holders.set(address, pod);
        allocations.push({ address, pod, podUid: uid, containerId: "", ifname });
      }
  return joinPlans([{ objects: [], notes }, convertAllocations(pool, allocations, pods)]);
}

function planNetwork({ type, title, name, master }: HostLocalNetwork, pools: readonly string[]): MigrationPlan {
  if (type !== "macvlan")
    return { objects: [], notes: [`network ${title} is of type ${type}: Interlay has only macvlan.`] };
  const network = `${name}-interlay`;
  const spec = { ...(master === undefined ? {} : { uplink: master }), pools: [...pools] };
  const note = `pods of network ${title}: name interlay-system/${network} in their annotation instead.`;
  return { objects: [createObject("UnderlayNetwork", network, spec)], notes: [note] };
}

/** The last address of a subnet that host-local gives: not the broadcast address. */
function lastAddress(subnet: string): string {
  const { last } = parseRange(subnet);
  const family = getFamily(parseIp(subnet.split("/")[0] ?? ""));
  return fromNumber(family === "ipv4" ? last - 1n : last, family);
}

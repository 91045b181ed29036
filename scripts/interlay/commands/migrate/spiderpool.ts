import { z } from "zod";
import { getFamily, parseCidr, parseIp } from "../../../../plugin/datapath/address.ts";
import { parseRange } from "../../../../plugin/ipam/pool/address-space.ts";
import {
  convertAllocations,
  createObject,
  type ExistingPods,
  joinPlans,
  type MigrationPlan,
} from "./migration-plan.ts";

const selector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
const names = z.array(z.string()).default([]);
/** spiderpool.spidernet.io/v2beta1, SpiderIPPool. */
const ipPools = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        subnet: z.string(),
        ips: names,
        excludeIPs: names,
        gateway: z.string().optional(),
        routes: z.array(z.object({ dst: z.string(), gw: z.string() })).default([]),
        disable: z.boolean().default(false),
        default: z.boolean().default(false),
        vlan: z.number().optional(),
        nodeAffinity: selector.optional(),
        namespaceAffinity: selector.optional(),
        podAffinity: selector.optional(),
        nodeName: names,
        namespaceName: names,
        multusName: names,
      }),
      /** JSON: a record by address. */
      status: z.object({ allocatedIPs: z.string().nullish() }).default({}),
    }),
  ),
});
type SpiderPool = z.infer<typeof ipPools>["items"][number];
const reservedIps = z.object({ items: z.array(z.object({ spec: z.object({ ips: names }) })) });
const allocated = z.record(
  z.string(),
  z.object({ interface: z.string(), pod: z.string(), podUid: z.string().optional() }),
);

/** Plans the migration from Spiderpool: a pool for each SpiderIPPool, an address object for each allocated address. Pure. */
export function planSpiderpoolMigration(pools: unknown, reserved: unknown, pods: ExistingPods): MigrationPlan {
  const excluded = reservedIps.parse(reserved).items.flatMap(({ spec }) => spec.ips);
  return joinPlans(ipPools.parse(pools).items.map((pool) => convertPool(pool, excluded, pods)));
}

function convertPool(
  { metadata, spec, status }: SpiderPool,
  reserved: readonly string[],
  pods: ExistingPods,
): MigrationPlan {
  const { name } = metadata;
  const subnet = parseCidr(spec.subnet);
  const pool = createObject("UnderlayPool", name, {
    subnet,
    ranges: spec.ips.length === 0 ? [subnet] : spec.ips,
    excluded: [
      ...new Set([
        ...spec.excludeIPs,
        ...reserved.filter((range) => isInSubnet(range, subnet)),
        // Interlay refuses a gateway that a pod could get.
        ...(spec.gateway === undefined ? [] : [spec.gateway]),
      ]),
    ],
    ...(spec.gateway === undefined ? {} : { gateway: spec.gateway }),
    ...(spec.routes.length === 0 ? {} : { routes: spec.routes }),
    ...convertSelectors(spec),
  });
  const allocations = Object.entries(allocated.parse(JSON.parse(status.allocatedIPs ?? "{}"))).map(
    ([address, { interface: ifname, pod: holder, podUid }]) => ({
      address,
      pod: holder,
      podUid,
      containerId: "",
      ifname,
    }),
  );
  return joinPlans([{ objects: [pool], notes: listNotes(name, spec) }, convertAllocations(name, allocations, pods)]);
}

function convertSelectors(spec: SpiderPool["spec"]) {
  const restrictions = {
    nodeSelector: spec.nodeAffinity,
    namespaceSelector: spec.namespaceAffinity,
    podSelector: spec.podAffinity,
    nodeNames: spec.nodeName.length === 0 ? undefined : spec.nodeName,
    namespaces: spec.namespaceName.length === 0 ? undefined : spec.namespaceName,
    default: spec.default ? true : undefined,
    disabled: spec.disable ? true : undefined,
  };
  return Object.fromEntries(Object.entries(restrictions).filter(([, value]) => value !== undefined));
}

/** Lists what an UnderlayPool cannot express. */
function listNotes(pool: string, spec: SpiderPool["spec"]): readonly string[] {
  return [
    ...(spec.multusName.length > 0
      ? [`SpiderIPPool ${pool}: multusName: name the pool in spec.pools of the UnderlayNetwork instead.`]
      : []),
    ...(spec.vlan === undefined || spec.vlan === 0
      ? []
      : [`SpiderIPPool ${pool}: vlan ${spec.vlan}: set spec.uplink of the UnderlayNetwork to the nodes' VLAN link.`]),
  ];
}

function isInSubnet(range: string, subnet: string): boolean {
  const findFamily = (text: string) => getFamily(parseIp(text.split(/[-/]/)[0] ?? ""));
  if (findFamily(range) !== findFamily(subnet)) return false;
  const [inner, outer] = [parseRange(range), parseRange(subnet)];
  return inner.first >= outer.first && inner.last <= outer.last;
}

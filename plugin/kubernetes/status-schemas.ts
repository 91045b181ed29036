import { z } from "zod";

/**
 * Schemas of the `status` of Interlay's kinds. `npm run generate` writes them to the CRDs; the API server drops fields that are not
 * in them. Null is "not known": a merge patch removes such a field.
 */
const condition = z.strictObject({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string().describe("One word for programs."),
  message: z.string().describe("A sentence for people, with what to do."),
  lastTransitionTime: z.iso.datetime().describe("When the status last changed."),
  observedGeneration: z.int().optional().describe("Generation of the object that the condition is about."),
});
export type StatusCondition = Readonly<z.infer<typeof condition>>;

/** A condition as agents of any version publish it. */
export const publishedCondition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(""),
  message: z.string().default(""),
});

const conditions = z.array(condition).readonly();
const observedGeneration = z.int().describe("Generation of the specification that this status is about.");

export const poolStatusSchema = z.strictObject({
  observedGeneration,
  // Numbers, because an IPv6 pool can have more addresses than an integer of a CRD can hold.
  total: z.number().describe("Addresses of the ranges without the excluded ones."),
  used: z.int().describe("Addresses in use, those in conflict and those held in advance included."),
  free: z.number().describe("Addresses that any pod can get; if all are reserved, those that no pod has."),
  conflicts: z.int().describe("Addresses that other hosts on the underlay use; no pod gets them."),
  reserved: z.int().describe("Addresses that nodes hold in advance; part of used."),
  draining: z.int().describe("Addresses of pods that are not in the ranges any more; no other pod gets them."),
  occupied: z
    .array(z.strictObject({ address: z.string(), by: z.string().describe("Node or Service that has the address.") }))
    .readonly()
    .describe("Addresses of nodes and Services in the ranges; no pod gets them."),
  reservations: z
    .array(
      z.strictObject({
        range: z.string(),
        namespaces: z.array(z.string()).readonly().describe("Namespaces whose pods may request an address of it."),
        by: z.string().describe("Object that reserves the range."),
      }),
    )
    .readonly()
    .describe("Reserved ranges of the cluster that have an address of the pool."),
  nodesOutside: z
    .strictObject({ count: z.int(), example: z.string().describe("Name of one such node.") })
    .optional()
    .describe("Nodes whose addresses are outside of the subnet: traffic to them crosses a router."),
  conditions,
});

export const networkStatusSchema = z.strictObject({ observedGeneration, conditions });

const network = z.string().describe("Network in CIDR notation.");
const factsStatus = z.strictObject({
  schema: z.string(),
  node: z.strictObject({
    name: z.string(),
    addresses: z.array(z.string()).readonly().describe("InternalIPs of the node, at most one a family."),
    otherAddresses: z.array(z.string()).readonly().describe("Other global addresses of the node's links."),
  }),
  uplink: z.string().describe("Parent of the macvlan links: the link that has the node's address."),
  overlayCidrs: z.array(network).readonly(),
  overlayMtu: z.int().optional().describe("Smallest MTU of the tunnels to other nodes, in bytes."),
  masqueradedCidrs: z.array(network).readonly().describe("Overlay networks whose pods the overlay masquerades."),
  serviceCidrs: z.array(network).readonly(),
  hijackCidrs: z.array(network).readonly().describe("Further destinations through the node, by configuration."),
  viaNode: z
    .array(z.strictObject({ destination: network, reason: z.string() }))
    .readonly()
    .describe("Further destinations through the node that were discovered."),
  refusedNetworks: z
    .array(z.strictObject({ network, source: z.string(), reason: z.string() }))
    .readonly()
    .describe("Networks that are not used, because a route to them would take traffic off the underlay."),
  returnPath: z.string(),
  notices: z.array(z.string()).readonly().optional().describe("Limitations of this node."),
  sources: z.record(z.string(), z.string()).describe("Source of each fact."),
});
export type FactsStatus = z.infer<typeof factsStatus>;

// A status is written by a merge patch, in which null removes a field: what may be null may be missing.
export const nodeStateStatusSchema = z.strictObject({
  ready: z.enum(["True", "False"]).describe("Whether all conditions are True."),
  reason: z.string().describe("The first condition that is False, as TYPE: REASON; empty if all are True."),
  version: z.string().describe("Version of the agent."),
  returnPath: z.strictObject({
    mode: z.string().nullish(),
    chosenBecause: z.string().describe("The setting that names it, or why the agent chose it."),
    applied: z.boolean(),
    configResourceVersion: z.string().describe("Version of ConfigMap interlay-config that was read."),
  }),
  tcpBeLiberal: z.int().describe("Value of net.netfilter.nf_conntrack_tcp_be_liberal."),
  kubeProxy: z.strictObject({
    version: z.string().nullish(),
    mode: z.string().nullish(),
    invalidDropRule: z.boolean().describe("Whether the rule that drops INVALID packets is in place."),
    source: z.string().describe("Where the version comes from."),
  }),
  gate: z
    .strictObject({ open: z.boolean(), reason: z.string() })
    .describe("Whether replies that bypass the source's node pass."),
  facts: factsStatus.nullish().describe("Facts about cluster and node, by which the agent attaches pods."),
  attachments: z.int().describe("Pod interfaces of Interlay on the node."),
  conditions,
});
export type NodeStateStatus = z.infer<typeof nodeStateStatusSchema>;

/**
 * Returns conditions with their transition times.
 * @param previous conditions of the last status; one with the same type and status keeps its time
 */
export function addTransitionTimes<Item extends Omit<StatusCondition, "lastTransitionTime">>(
  items: readonly Item[],
  previous: readonly Pick<StatusCondition, "type" | "status" | "lastTransitionTime">[],
  now: Date,
): readonly (Item & Pick<StatusCondition, "lastTransitionTime">)[] {
  return items.map((item) => {
    const previousCondition = previous.find(({ type }) => type === item.type);
    const lastTransitionTime =
      previousCondition?.status === item.status ? previousCondition.lastTransitionTime : now.toISOString();
    return { ...item, lastTransitionTime };
  });
}

const published = z.object({
  conditions: z.array(
    z.object({ type: z.string(), status: z.enum(["True", "False", "Unknown"]), lastTransitionTime: z.string() }),
  ),
});

/** Reads the conditions of a status that may be of another version; none if they are not as expected. */
export function parseConditions(
  status: unknown,
): readonly Pick<StatusCondition, "type" | "status" | "lastTransitionTime">[] {
  const parsed = published.safeParse(status);
  return parsed.success ? parsed.data.conditions : [];
}

/** Text of a published status that may be unknown: the API server leaves out a field whose value in a merge patch is null. */
export const publishedText = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

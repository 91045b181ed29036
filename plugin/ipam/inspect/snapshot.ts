import { z } from "zod";

/** What is known of addresses in three places: the cluster's objects, the nodes' records, the kernels. */
export const NODE_ADDRESSES_SCHEMA = "interlay.addresses/v1";

/** One node's own word, as `interlay ipam check --snapshot` prints it. */
export const nodeAddresses = z.object({
  schema: z.literal(NODE_ADDRESSES_SCHEMA),
  node: z.string(),
  records: z.array(
    z.object({
      name: z.string(),
      address: z.string(),
      containerId: z.string(),
      ifname: z.string(),
      pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
      released: z.boolean(),
      /** Its network namespace is there. */
      alive: z.boolean(),
    }),
  ),
  /** Addresses on the links of pods that this node has wired or given addresses to. */
  kernel: z.array(
    z.object({ address: z.string(), containerId: z.string(), ifname: z.string(), pod: z.string(), netns: z.string() }),
  ),
});
export type NodeAddresses = z.infer<typeof nodeAddresses>;

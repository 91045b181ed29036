import { z } from "zod";

/** Schema of a node's address records and link addresses. */
export const NODE_ADDRESSES_SCHEMA = "interlay.addresses/v1";

/** State of one node, as `interlay ipam snapshot` prints it. */
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
      /** Its network namespace exists. */
      alive: z.boolean(),
    }),
  ),
  /** Addresses on the links of pods that this node attached or allocated addresses to. */
  kernel: z.array(
    z.object({ address: z.string(), containerId: z.string(), ifname: z.string(), pod: z.string(), netns: z.string() }),
  ),
});
export type NodeAddressSnapshot = z.infer<typeof nodeAddresses>;

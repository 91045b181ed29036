import { z } from "zod";
import type { PoolSpec } from "../ipam/pool.ts";

/** What one node's kernel and files say, as `interlay doctor --snapshot` prints it. No packet is sent for it. */
export const NODE_SNAPSHOT_SCHEMA = "interlay.node-snapshot/v1";

const route = z.object({ destination: z.string(), device: z.string(), gateway: z.string().optional() });
const neighbour = z.object({ address: z.string(), mac: z.string() });
const drift = z.object({ kind: z.string(), where: z.enum(["pod", "node"]), line: z.string(), reason: z.string() });

const attachment = z.object({
  /** `namespace/name` */
  pod: z.string(),
  ifname: z.string(),
  type: z.enum(["underlay", "multi-nic", "other"]),
  /** Its macvlan addresses. */
  addresses: z.array(z.string()),
  /** The MAC of its macvlan link; absent where the link is not there. */
  mac: z.string().optional(),
  mtu: z.number().optional(),
  /** Of its plan, what the kernel does not have. */
  drift: z.array(drift),
  /** The pod's main table. */
  routes: z.array(route),
  /** Who answers for addresses on its macvlan link, by the pod's neighbour table. */
  neighbours: z.array(neighbour),
  /** Nameservers of the pod's resolv.conf; absent where no process of the pod was found. */
  nameservers: z.array(z.string()).optional(),
});
export type AttachmentSnapshot = z.infer<typeof attachment>;

export const nodeSnapshot = z.object({
  schema: z.literal(NODE_SNAPSHOT_SCHEMA),
  node: z.string(),
  /** Of the facts file; null where there is none that can be read. */
  facts: z
    .object({
      addresses: z.array(z.string()),
      uplink: z.string(),
      overlayCidrs: z.array(z.string()),
      serviceCidrs: z.array(z.string()),
      /** Networks that were found and are not used. */
      refused: z.array(z.object({ network: z.string(), source: z.string(), reason: z.string() })).default([]),
      returnPath: z.enum(["notrack", "liberal", "snat", "none"]),
    })
    .nullable(),
  /** Every link but other people's pairs. */
  links: z.array(z.object({ name: z.string(), up: z.boolean(), mtu: z.number() })),
  ipForward: z.boolean(),
  /** null: conntrack is not loaded. */
  tcpBeLiberal: z.union([z.literal(0), z.literal(1)]).nullable(),
  /** The greater of `all` and the link's own, which is what the kernel goes by. */
  rpFilter: z.record(z.string(), z.number()),
  kubeProxy: z.object({
    version: z.string().nullable(),
    mode: z.string().nullable(),
    invalidDropRule: z.boolean(),
  }),
  /** Families for which the kernel has rules that translate Services. */
  serviceRules: z.array(z.enum(["ipv4", "ipv6"])).default(["ipv4", "ipv6"]),
  /** Rules of others that drop INVALID packets on the way to other nodes, a line each. */
  otherInvalidDrops: z.array(z.string()).default([]),
  /** Packets that the source guard of Interlay's table has dropped; null if the table does not exist. */
  guardDrops: z.number().nullable().default(null),
  /** The chain FORWARD drops what no rule accepts, and none accepts all that comes from our links. */
  forwardDrops: z.boolean(),
  /** Overlay networks whose INVALID packets our table exempts; empty where it does not. */
  notrack: z.array(z.string()),
  attachments: z.array(attachment),
  /** Who answers for addresses on the uplink, by the node's neighbour table. */
  neighbours: z.array(neighbour),
  /** Files of /etc/cni/net.d; null where it cannot be read. */
  cniConfigs: z.array(z.string()).nullable(),
});
export type NodeSnapshot = z.infer<typeof nodeSnapshot>;

/** What the API server says. */
export interface ClusterSnapshot {
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Networks by the cluster's own objects; empty where no source has them. */
  readonly overlayCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** UnderlayPools. */
  readonly pools: readonly ({ readonly name: string } & PoolSpec)[];
  /** Sources that disagree, and facts that no source has. */
  readonly problems: readonly string[];
  /** An eBPF data plane that translates Services in kube-proxy's place, by its name; undefined: none. */
  readonly dataPlane?: string | undefined;
  /** Network of kube-proxy's clusterCIDR that contains a node's address; undefined: none. */
  readonly networkOverUnderlay?: string | undefined;
  /** undefined: the kind NetworkAttachmentDefinition is not there. */
  readonly networks:
    | readonly {
        readonly name: string;
        readonly master: string | undefined;
        readonly mtu: number | undefined;
        readonly interlay: boolean;
      }[]
    | undefined;
  /** Pods that wait, with the networks that their annotations name. */
  readonly waiting: readonly { readonly pod: string; readonly node: string; readonly networks: readonly string[] }[];
  readonly addresses: readonly {
    readonly address: string;
    readonly pod: string;
    readonly conflict: string | undefined;
  }[];
}

export interface Snapshot {
  readonly nodes: readonly NodeSnapshot[];
  /** undefined: the API server was not asked; what only it knows is not checked. */
  readonly cluster: ClusterSnapshot | undefined;
}

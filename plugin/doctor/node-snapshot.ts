import { z } from "zod";
import type { PodName } from "../trace/collect/merge-snapshots.ts";
import type { ServicePort } from "../trace/paths/list-paths.ts";
import { traceSnapshot } from "../trace/snapshot.ts";
import type { PoolSpec } from "../ipam/pool/address-space.ts";

/** Schema of a node's state, as `interlay doctor --snapshot` prints it. */
export const NODE_SNAPSHOT_SCHEMA = "interlay.node-snapshot/v1";

const route = z.object({ destination: z.string(), device: z.string(), gateway: z.string().optional() });
const neighbour = z.object({ address: z.string(), mac: z.string() });
const drift = z.object({ kind: z.string(), where: z.enum(["pod", "node"]), line: z.string(), reason: z.string() });

const attachment = z.object({
  /** `namespace/name` */
  pod: z.string(),
  ifname: z.string(),
  type: z.enum(["underlay", "multi-nic", "other"]),
  /** Addresses of its macvlan link. */
  addresses: z.array(z.string()),
  /** MAC address of its macvlan link; absent if the link is missing. */
  mac: z.string().optional(),
  mtu: z.number().optional(),
  /** Items of its plan that the kernel does not have. */
  drift: z.array(drift),
  /** Packets that its pair's source guard has dropped. */
  forgedPackets: z.number().default(0),
  /** Routes of the pod's main table. */
  routes: z.array(route),
  /** Neighbour table of its macvlan link. */
  neighbours: z.array(neighbour),
  /** Nameservers of the pod's resolv.conf; absent if no process of the pod was found. */
  nameservers: z.array(z.string()).optional(),
});
export type AttachmentSnapshot = z.infer<typeof attachment>;

export const nodeSnapshot = z.object({
  schema: z.literal(NODE_SNAPSHOT_SCHEMA),
  node: z.string(),
  /** Part of the facts file; null if it is missing or invalid. */
  facts: z
    .object({
      addresses: z.array(z.string()),
      uplink: z.string(),
      overlayCidrs: z.array(z.string()),
      serviceCidrs: z.array(z.string()),
      /** Networks that were discovered and refused. */
      refused: z.array(z.object({ network: z.string(), source: z.string(), reason: z.string() })).default([]),
      returnPath: z.enum(["notrack", "liberal", "snat", "none"]),
    })
    .nullable(),
  /** Every link except veth links of other software. */
  links: z.array(z.object({ name: z.string(), up: z.boolean(), mtu: z.number() })),
  ipForward: z.boolean(),
  /** Null if conntrack is not loaded. */
  tcpBeLiberal: z.union([z.literal(0), z.literal(1)]).nullable(),
  /** Value by link that the kernel uses: the greater of those of `all` and of the link. */
  rpFilter: z.record(z.string(), z.number()),
  kubeProxy: z.object({
    version: z.string().nullable(),
    mode: z.string().nullable(),
    invalidDropRule: z.boolean(),
  }),
  /** Families for which the kernel has rules that translate Services. */
  serviceRules: z.array(z.enum(["ipv4", "ipv6"])).default(["ipv4", "ipv6"]),
  /** Rules of other software that drop INVALID packets to other nodes, one line each. */
  otherInvalidDrops: z.array(z.string()).default([]),
  /** Whether the chain FORWARD drops packets that no rule accepts, and no rule accepts packets from underlay pods. */
  forwardDrops: z.boolean(),
  /** Overlay networks whose INVALID packets Interlay's table exempts. */
  notrack: z.array(z.string()),
  attachments: z.array(attachment),
  /** Neighbour table of the uplink. */
  neighbours: z.array(neighbour),
  /** Files of the runtime's network configuration directory; null if it cannot be read. */
  cniConfigs: z.array(z.string()).nullable(),
  cniDirectory: z.string().default("/etc/cni/net.d"),
  /** Another directory with a configuration of Multus. */
  multusElsewhere: z.string().optional(),
  /** Whether Multus refuses networks of namespace interlay-system to pods of other namespaces. */
  multusIsolation: z.boolean().default(false),
  /** Plugins of the directory in which the agent installs; absent if it cannot be read. */
  plugins: z.object({ missing: z.array(z.string()), onlyInterlay: z.boolean() }).optional(),
  /** Kernel state of the node and its pods, from which paths are traced; null if it could not be read; absent in old files. */
  trace: traceSnapshot.nullable().optional(),
});
export type NodeSnapshot = z.infer<typeof nodeSnapshot>;

/** State of the cluster, read from the API server. */
export interface ClusterSnapshot {
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Overlay networks that the cluster's objects name; empty if none does. */
  readonly overlayCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** UnderlayPools. */
  readonly pools: readonly ({ readonly name: string } & PoolSpec)[];
  /** Sources that disagree, and facts without a source. */
  readonly problems: readonly string[];
  /** Name of the eBPF data plane that replaces kube-proxy; undefined if there is none. */
  readonly dataPlane?: string | undefined;
  /** Network of kube-proxy's clusterCIDR that contains a node's address; undefined if there is none. */
  readonly networkOverUnderlay?: string | undefined;
  /** Undefined if the kind NetworkAttachmentDefinition does not exist. */
  readonly networks:
    | readonly {
        readonly name: string;
        readonly master: string | undefined;
        readonly mtu: number | undefined;
        readonly interlay: boolean;
      }[]
    | undefined;
  /** Replicas of the controller that are ready; undefined if they could not be read. */
  readonly readyControllers?: number | undefined;
  /** Pending pods, with the networks that their annotations name. */
  readonly waiting: readonly { readonly pod: string; readonly node: string; readonly networks: readonly string[] }[];
  readonly addresses: readonly {
    readonly address: string;
    readonly pod: string;
    readonly conflict: string | undefined;
  }[];
  /** Running pods that do not use the host's network; undefined if the user may not list them. */
  readonly pods?: readonly PodName[] | undefined;
  /** Ports of the Services to which paths are traced. */
  readonly services?: readonly ServicePort[] | undefined;
}

export interface Snapshot {
  readonly nodes: readonly NodeSnapshot[];
  /** Undefined if the API server was not read; the cluster's checks are left out then. */
  readonly cluster: ClusterSnapshot | undefined;
}

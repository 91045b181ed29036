import { z } from "zod";
import type { Resource } from "./kube-client.ts";
import { labelSelector } from "./label-selector.ts";
import { objectMeta } from "./object-meta.ts";

/** Schemas of Interlay's own kinds, and of the parts that it reads of other kinds. Every response is parsed by these. */
export const API_GROUP = "interlay.dev";
/** The version that Interlay uses, and in which the API server stores objects. */
export const STORED_VERSION = "v1beta1";
/** The earlier version, with the same fields. It is served for agents of the previous version. */
export const DEPRECATED_VERSION = "v1alpha1";
export const GROUP_VERSION = `${API_GROUP}/${STORED_VERSION}`;
const OWN = `/apis/${GROUP_VERSION}`;
const CALICO = "/apis/crd.projectcalico.org/v1";
export const SYSTEM_NAMESPACE = "interlay-system";
export const CONFIG_MAP = "interlay-config";

export const RESOURCE = {
  underlayPools: { api: OWN, plural: "underlaypools" },
  underlayAddresses: { api: OWN, plural: "underlayaddresses" },
  underlayNetworks: { api: OWN, plural: "underlaynetworks" },
  underlayReservations: { api: OWN, plural: "underlayreservations" },
  nodeStates: { api: OWN, plural: "nodestates" },
  nodes: { api: "/api/v1", plural: "nodes" },
  namespaces: { api: "/api/v1", plural: "namespaces" },
  pods: { api: "/api/v1", plural: "pods" },
  settings: { api: "/api/v1", plural: "configmaps", namespace: SYSTEM_NAMESPACE },
  systemPods: { api: "/api/v1", plural: "pods", namespace: "kube-system" },
  systemConfigMaps: { api: "/api/v1", plural: "configmaps", namespace: "kube-system" },
  services: { api: "/api/v1", plural: "services" },
  /** Of every namespace: flannel's is kube-flannel, or kube-system. */
  configMaps: { api: "/api/v1", plural: "configmaps" },
  calicoPools: { api: CALICO, plural: "ippools" },
  felix: { api: CALICO, plural: "felixconfigurations" },
  calicoBlocks: { api: CALICO, plural: "blockaffinities" },
  /** Address ranges of MetalLB and Cilium for Services of type LoadBalancer. */
  metallbPools: { api: "/apis/metallb.io/v1beta1", plural: "ipaddresspools" },
  ciliumPools: { api: "/apis/cilium.io/v2alpha1", plural: "ciliumloadbalancerippools" },
  statefulSets: { api: "/apis/apps/v1", plural: "statefulsets" },
  controllers: { api: "/apis/apps/v1", plural: "deployments", namespace: SYSTEM_NAMESPACE },
  attachmentDefinitions: { api: "/apis/k8s.cni.cncf.io/v1", plural: "network-attachment-definitions" },
  leases: { api: "/apis/coordination.k8s.io/v1", plural: "leases", namespace: SYSTEM_NAMESPACE },
} as const satisfies Record<string, Resource>;

/** Returns the resource in one namespace. */
export function inNamespace(resource: Resource, namespace: string): Resource {
  return { ...resource, namespace };
}

const metadata = objectMeta;

export const nodeObject = z.object({
  metadata,
  spec: z.object({ podCIDRs: z.array(z.string()).default([]) }).default({ podCIDRs: [] }),
  status: z
    .object({
      addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
      nodeInfo: z.object({ kubeletVersion: z.string().default("") }).default({ kubeletVersion: "" }),
    })
    .default({ addresses: [], nodeInfo: { kubeletVersion: "" } }),
});

/** A Service, with the fields that specify its addresses and ports. */
export const serviceObject = z.object({
  metadata,
  spec: z.object({
    clusterIPs: z.array(z.string()).default([]),
    externalIPs: z.array(z.string()).default([]),
    externalTrafficPolicy: z.string().default("Cluster"),
    selector: z.record(z.string(), z.string()).default({}),
    ports: z.array(z.object({ port: z.number(), protocol: z.string().default("TCP") })).default([]),
  }),
  status: z
    .object({
      loadBalancer: z
        .object({
          ingress: z.array(z.object({ ip: z.string().optional(), ipMode: z.string().optional() })).default([]),
        })
        .default({ ingress: [] }),
    })
    .default({ loadBalancer: { ingress: [] } }),
});

export const podObject = z.object({
  metadata: metadata.extend({ deletionTimestamp: z.string().optional() }),
  spec: z.object({
    nodeName: z.string().default(""),
    hostNetwork: z.boolean().default(false),
    containers: z
      .array(
        z.object({
          name: z.string().default(""),
          image: z.string().default(""),
          command: z.array(z.string()).default([]),
          args: z.array(z.string()).default([]),
        }),
      )
      .default([]),
  }),
  status: z
    .object({ phase: z.string().default(""), podIPs: z.array(z.object({ ip: z.string() })).default([]) })
    .default({ phase: "", podIPs: [] }),
});
export type PodObject = z.infer<typeof podObject>;

export const configMapObject = z.object({ metadata, data: z.record(z.string(), z.string()).default({}) });

export const calicoPool = z.object({
  metadata,
  spec: z.object({
    cidr: z.string(),
    disabled: z.boolean().default(false),
    natOutgoing: z.boolean().default(false),
  }),
});
export const felixConfiguration = z.object({
  metadata,
  spec: z.object({ bpfEnabled: z.boolean().default(false) }).default({ bpfEnabled: false }),
});
export const calicoBlock = z.object({
  metadata,
  spec: z.object({ node: z.string(), cidr: z.string(), deleted: z.string().optional() }),
});
export const serviceCidr = z.object({
  metadata,
  spec: z.object({
    cidrs: z.array(z.string()).optional(),
    // v1alpha1 of Kubernetes 1.27 and 1.28
    ipv4: z.string().optional(),
    ipv6: z.string().optional(),
  }),
});

export const underlayPool = z.object({
  metadata: metadata.extend({
    deletionTimestamp: z.string().optional(),
    finalizers: z.array(z.string()).default([]),
  }),
  spec: z.object({
    subnet: z.string(),
    ranges: z.array(z.string()).min(1),
    excluded: z.array(z.string()).default([]),
    reserved: z.array(z.string()).default([]),
    gateway: z.string().optional(),
    routes: z.array(z.object({ dst: z.string(), gw: z.string().optional() })).default([]),
    priority: z.number().default(100),
    reservePerNode: z.number().default(0),
    nodeSelector: labelSelector.optional(),
    namespaceSelector: labelSelector.optional(),
    podSelector: labelSelector.optional(),
    nodeNames: z.array(z.string()).default([]),
    namespaces: z.array(z.string()).default([]),
    networks: z.array(z.string()).default([]),
    default: z.boolean().default(false),
    disabled: z.boolean().default(false),
  }),
  status: z.unknown().optional(),
});
export type UnderlayPoolObject = z.infer<typeof underlayPool>;

const owner = z.object({ kind: z.string(), name: z.string(), uid: z.string() });
export const underlayAddress = z.object({
  metadata: metadata.extend({ deletionTimestamp: z.string().optional() }),
  spec: z.object({
    /** An address, because every reader parses it: an object with anything else is skipped. */
    address: z.union([z.ipv4(), z.ipv6()], { error: "neither an IPv4 nor an IPv6 address" }),
    pool: z.string(),
    node: z.string(),
    /** Empty while the address is kept for its StatefulSet's pod and not in use. */
    containerId: z.string(),
    ifname: z.string(),
    network: z.string().default(""),
    pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
    owner: owner.optional(),
    /** The workload whose fixed set has this address. Without a container, the address is free for its pods. */
    set: z.object({ group: z.string(), kind: z.string(), namespace: z.string(), name: z.string() }).optional(),
    /** Another host on the underlay has the address: it is not allocated until an administrator deletes the object. */
    conflict: z.string().optional(),
    /** Held in advance by its node, without a pod. */
    reserve: z.boolean().optional(),
  }),
});
export type UnderlayAddressObject = z.infer<typeof underlayAddress>;
export type UnderlayAddressSpec = UnderlayAddressObject["spec"];

export const underlayNetwork = z.object({
  metadata,
  spec: z.object({
    namespace: z.string().default(SYSTEM_NAMESPACE),
    uplink: z.string().optional(),
    mode: z.enum(["bridge", "private", "vepa", "passthru"]).default("bridge"),
    pools: z.array(z.string()).default([]),
    mtu: z.number().optional(),
    hostPorts: z.boolean().default(true),
    /** Options of the plugin, which validates them. */
    options: z.record(z.string(), z.unknown()).default({}),
  }),
  status: z.unknown().optional(),
});
export type UnderlayNetworkObject = z.infer<typeof underlayNetwork>;

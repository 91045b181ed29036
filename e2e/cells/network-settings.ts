import { z } from "zod";
import { type IpFamily, getIpFamily } from "../../clusters/spec/address-ranges.ts";
import { getEnvironment } from "./get-environment.ts";
import type { Variant } from "./gate.ts";

/** Connections that kube-proxy's local traffic detector treats as those of pods. */
type PodTraffic =
  /** A source address in the overlay: `clusterCIDR`. */
  | "overlay"
  /** A source address in the overlay or in the underlay: a `clusterCIDR` that covers both. */
  | "overlay-and-underlay"
  /** Packets that enter by the link of an own overlay pod: `InterfaceNamePrefix`. */
  | "own-overlay-pods"
  /** Packets that enter by the link of an own underlay pod: `InterfaceNamePrefix` of the pairs. */
  | "own-underlay-pods"
  /** None: the detector matches no pod's address, like `NodeCIDR` if the overlay has blocks of its own. */
  | "nobody"
  /** kube-proxy has no detector. */
  | "none";

/**
 * Settings of overlay and kube-proxy that decide which node translates source addresses, and which clients policy Local
 * accepts.
 */
export interface NetworkSettings {
  readonly returnPath: Variant["returnPath"];
  /** The overlay masquerades packets of its pods to other networks; undefined: not known. */
  readonly natOutgoing: boolean | undefined;
  /** The overlay masquerades packets of other networks to its pods on other nodes (flannel's --ip-masq); undefined: not known. */
  readonly masqueradesToOverlay: boolean | undefined;
  /** A pod's address has the prefix length of its node's subnet (bridges with host-local); Calico's is a subnet of its own. */
  readonly hasNodeSubnets: boolean;
  /** The nodes are in racks with a router between them: a multi-NIC pod's net1 has no connected route to the other rack. */
  readonly racks: boolean;
  /** Undefined: not known. */
  readonly podTraffic: PodTraffic | undefined;
  /** kube-proxy masquerades every connection to a Service. */
  readonly masqueradeAll: boolean;
  /** The overlay encapsulates between some nodes and not between others. */
  readonly crossSubnet: boolean;
}

/** Returns the settings of a variant's environment in one family. */
export function getNetworkSettings(variant: Variant, family: IpFamily): NetworkSettings {
  const { calico, kubeProxy, overlay, topology } = getEnvironment(variant).spec;
  // Calico does not masquerade packets to addresses of a pool, even a disabled one. The suite's pools are IPv4.
  const isExcluded = family === "ipv4" && (calico?.extraPools?.length ?? 0) > 0;
  return {
    returnPath: variant.returnPath,
    natOutgoing: !isExcluded && (calico?.pool?.natOutgoing ?? true),
    masqueradesToOverlay: overlay?.kind === "flannel",
    hasNodeSubnets: overlay !== undefined,
    racks: topology === "racks",
    crossSubnet: calico?.pool?.vxlan === "CrossSubnet",
    podTraffic: readPodTraffic(kubeProxyFields.parse(kubeProxy?.config ?? {}), family),
    masqueradeAll: kubeProxyFields.parse(kubeProxy?.config ?? {}).iptables?.masqueradeAll ?? false,
  };
}

/** Fields of a KubeProxyConfiguration that an environment may change. */
const kubeProxyFields = z.looseObject({
  clusterCIDR: z.string().optional(),
  detectLocalMode: z.string().optional(),
  detectLocal: z.looseObject({ interfaceNamePrefix: z.string().optional() }).optional(),
  iptables: z.looseObject({ masqueradeAll: z.boolean().optional() }).optional(),
});

function readPodTraffic(config: z.infer<typeof kubeProxyFields>, family: IpFamily): PodTraffic {
  const { clusterCIDR, detectLocalMode = "ClusterCIDR", detectLocal } = config;
  if (detectLocalMode === "NodeCIDR") return "nobody";
  if (detectLocalMode === "InterfaceNamePrefix")
    return detectLocal?.interfaceNamePrefix === "cali" ? "own-overlay-pods" : "own-underlay-pods";
  if (clusterCIDR === undefined) return "overlay";
  const familyCidr = clusterCIDR.split(",").find((cidr) => cidr !== "" && getIpFamily(cidr) === family);
  return familyCidr === undefined ? "none" : "overlay-and-underlay";
}

/** Overlays that have flannel's option --ip-masq, which the API server does not always show. */
const FLANNEL_OVERLAYS = ["flannel", "canal"];

/**
 * Returns the settings of an existing cluster: every documented source address is accepted.
 * @param versions components by name, the overlay among them
 */
export function getUnknownSettings(
  versions: Readonly<Record<string, string>>,
  returnPath: Variant["returnPath"],
): NetworkSettings {
  const isFlannel = FLANNEL_OVERLAYS.some((name) => name in versions);
  return {
    returnPath,
    natOutgoing: undefined,
    masqueradesToOverlay: isFlannel ? undefined : false,
    hasNodeSubnets: isFlannel,
    racks: false,
    podTraffic: undefined,
    masqueradeAll: false,
    crossSubnet: true,
  };
}

/**
 * Whether kube-proxy on a node treats a connection as one of a pod.
 * @param source network of the connection's source address when it enters the node
 * @param ownNode whether it enters by the pod's own node
 * @returns undefined where the detector is not known
 */
export function isPodTraffic(
  podTraffic: PodTraffic | undefined,
  source: "overlay" | "underlay" | "node",
  ownNode: boolean,
): boolean | undefined {
  switch (podTraffic) {
    case undefined:
      return source === "overlay" ? undefined : source === "node" ? false : undefined;
    case "overlay":
      return source === "overlay";
    case "overlay-and-underlay":
      return true;
    case "own-overlay-pods":
      return source === "overlay" && ownNode;
    case "own-underlay-pods":
      return source === "underlay" && ownNode;
    case "nobody":
    case "none":
      return false;
  }
}

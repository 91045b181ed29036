import type { Environment } from "../../spec/environment.ts";
import { CLUSTER_CIDR_COVERS_UNDERLAY } from "./cluster-cidr-covers-underlay.ts";
import { CLUSTER_CIDR_EMPTY } from "./cluster-cidr-empty.ts";
import { DETECT_INTERFACE_CALI } from "./detect-interface-cali.ts";
import { DETECT_INTERFACE_VETH } from "./detect-interface-veth.ts";
import { DETECT_NODE_CIDR } from "./detect-node-cidr.ts";
import { MASQUERADE_ALL } from "./masquerade-all.ts";
import { NFTABLES } from "./nftables-mode.ts";
import { NO_KUBE_PROXY_ENVIRONMENT } from "./no-kube-proxy.ts";

/** Environments of this folder, in the order of a run. */
export const KUBE_PROXY_ENVIRONMENTS: readonly Environment[] = [
  CLUSTER_CIDR_EMPTY,
  CLUSTER_CIDR_COVERS_UNDERLAY,
  MASQUERADE_ALL,
  DETECT_NODE_CIDR,
  DETECT_INTERFACE_CALI,
  DETECT_INTERFACE_VETH,
  NFTABLES,
  NO_KUBE_PROXY_ENVIRONMENT,
];

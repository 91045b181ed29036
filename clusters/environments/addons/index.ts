import type { Environment } from "../../spec/environment.ts";
import { LOAD_BALANCER } from "./load-balancer.ts";
import { MULTUS_THICK } from "./multus-thick.ts";
import { NODE_LOCAL_DNS_KUBESPRAY } from "./node-local-dns-kubespray.ts";
import { NODE_LOCAL_DNS } from "./node-local-dns.ts";

/** Environments of this folder, in the order of a run. */
export const ADDON_ENVIRONMENTS: readonly Environment[] = [
  NODE_LOCAL_DNS,
  NODE_LOCAL_DNS_KUBESPRAY,
  MULTUS_THICK,
  LOAD_BALANCER,
];

import type { Environment } from "../../spec/environment.ts";
import { SECOND_NIC } from "./second-nic.ts";
import { CONNTRACK_NOT_LOOSE } from "./conntrack-not-loose.ts";
import { FORWARD_DROP_DOCKER } from "./forward-drop-docker.ts";
import { FORWARD_INVALID_DROP } from "./forward-invalid-drop.ts";
import { FORWARD_REJECT_FIREWALLD } from "./forward-reject-firewalld.ts";
import { MTU_1400 } from "./mtu-1400.ts";
import { MTU_9000 } from "./mtu-9000.ts";
import { RP_FILTER_STRICT } from "./rp-filter-strict.ts";
import { STRICT_ARP } from "./strict-arp.ts";

/** Environments of this folder, in the order of a run. */
export const NODE_ENVIRONMENTS: readonly Environment[] = [
  FORWARD_DROP_DOCKER,
  FORWARD_REJECT_FIREWALLD,
  FORWARD_INVALID_DROP,
  RP_FILTER_STRICT,
  CONNTRACK_NOT_LOOSE,
  STRICT_ARP,
  MTU_9000,
  MTU_1400,
  SECOND_NIC,
];

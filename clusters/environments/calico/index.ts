import type { Environment } from "../../spec/environment.ts";
import { RACKS } from "./racks.ts";
import { DISABLED_POOL_UNDERLAY } from "./disabled-pool-underlay.ts";
import { DISABLED_POOL_UNDERLAY_KEPT } from "./disabled-pool-underlay-kept.ts";
import { DISABLED_POOL_WIDE } from "./disabled-pool-wide.ts";
import { INTERFACE_PREFIX } from "./interface-prefix.ts";
import { NAT_OUTGOING_OFF } from "./nat-outgoing-off.ts";
import { NO_ENCAPSULATION } from "./no-encapsulation.ts";
import { WIREGUARD } from "./wireguard.ts";

/** Environments of this folder, in the order of a run. */
export const CALICO_ENVIRONMENTS: readonly Environment[] = [
  NAT_OUTGOING_OFF,
  DISABLED_POOL_WIDE,
  DISABLED_POOL_UNDERLAY,
  DISABLED_POOL_UNDERLAY_KEPT,
  INTERFACE_PREFIX,
  NO_ENCAPSULATION,
  WIREGUARD,
  RACKS,
];

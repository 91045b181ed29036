import type { Environment } from "../../spec/environment.ts";
import { BRIDGE } from "./bridge.ts";
import { FLANNEL_HOST_GW } from "./flannel-host-gw.ts";
import { FLANNEL_VXLAN } from "./flannel-vxlan.ts";

/** Environments of this folder, in the order of a run. */
export const OVERLAY_ENVIRONMENTS: readonly Environment[] = [FLANNEL_VXLAN, FLANNEL_HOST_GW, BRIDGE];

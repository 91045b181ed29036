import type { SysctlItem } from "../plan-item.ts";
import { planSysctl } from "./plan-sysctl.ts";

/**
 * Plans the sysctls with which a NIC with addresses from IPAM ignores or accepts router advertisements.
 *
 * @param device name of the NIC in the pod
 * @param isAccepting whether the network's option acceptRouterAdvertisements is true
 */
export function planAdvertisementSysctls(device: string, isAccepting: boolean): readonly SysctlItem[] {
  const plan = (name: string, reason: string): SysctlItem =>
    planSysctl("pod", ["ipv6", "conf", device, name], isAccepting ? "1" : "0", reason);
  if (isAccepting) {
    const reason = "the network's option acceptRouterAdvertisements is true";
    return [plan("accept_ra", reason), plan("autoconf", reason)];
  }
  return [
    plan("accept_ra", "any host of the network that sends router advertisements could set the pod's default route"),
    plan(
      "autoconf",
      "the pod has exactly the addresses that IPAM assigned: an autoconfigured one could become its source address",
    ),
  ];
}

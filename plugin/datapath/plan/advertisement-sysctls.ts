import type { SysctlItem } from "../plan-item.ts";
/** Plans the sysctls by which a NIC with addresses from IPAM ignores router advertisements. */
export function planAdvertisementSysctls(device: string): readonly SysctlItem[] {
  const off = (name: string, reason: string): SysctlItem => {
    return { kind: "sysctl", where: "pod", path: ["ipv6", "conf", device, name], value: "0", reason };
  };
  return [
    off("accept_ra", "any host of the network that sends router advertisements could set the pod's default route"),
    off(
      "autoconf",
      "the pod has exactly the addresses that IPAM assigned: an autoconfigured one could become its source address",
    ),
  ];
}

import type { SysctlItem, Where } from "../plan-item.ts";

/**
 * Plans a sysctl.
 * @param where network namespace that has it
 * @param path below /proc/sys/net, such as `["ipv4", "conf", "eth0", "rp_filter"]`
 */
export function planSysctl(where: Where, path: readonly string[], value: string, reason: string): SysctlItem {
  return { kind: "sysctl", where, path, value, reason };
}

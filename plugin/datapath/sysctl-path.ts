/** Environment variable with the directory of the kernel's network sysctls. */
const VARIABLE = "INTERLAY_SYSCTL_DIRECTORY";

/**
 * Directory of the kernel's network sysctls. A container without `privileged` cannot write to `/proc/sys`, so the agent's pod mounts
 * the node's `/proc/sys/net` at another path. Both paths show the sysctls of the thread's network namespace.
 */
export const SYSCTL_DIRECTORY = process.env[VARIABLE] ?? "/proc/sys/net";

/** Returns the file of a network sysctl. @param path below `net`, e.g. `ipv4/conf/eth0/rp_filter` */
export function buildSysctlPath(path: string): string {
  return `${SYSCTL_DIRECTORY}/${path}`;
}

import type { IpFamily } from "../spec/address-ranges.ts";
import type { NodeSettings } from "../spec/environment-spec.ts";

/**
 * Returns the commands that apply an environment's settings to a node, in their order. Commands for links are first, because a
 * sysctl may name a link.
 *
 * @param families families of the cluster: a node without IPv6 gets no ip6tables rules
 */
export function listNodeCommands(
  { mtu, sysctls = {}, iptables = [] }: NodeSettings,
  families: readonly IpFamily[],
): readonly (readonly string[])[] {
  const programs = families.map((family) => (family === "ipv4" ? "iptables" : "ip6tables"));
  return [
    ...(mtu === undefined ? [] : [["ip", "link", "set", "dev", "eth0", "mtu", String(mtu)]]),
    ...Object.entries(sysctls).map(([name, value]) => ["sysctl", "-q", "-w", `${name}=${value}`]),
    ...programs.flatMap((program) => iptables.map((argv) => [program, "-w", ...argv])),
  ];
}

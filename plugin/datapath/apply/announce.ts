import { writeFileSync } from "node:fs";
import { encodeLinkChange, RTM_LINK } from "../../netlink/link.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { buildSysctlPath } from "../sysctl-path.ts";

/**
 * Announces the MAC of the pod's addresses with gratuitous ARP and unsolicited neighbour advertisements, so that clients
 * reach a fixed address immediately after it moved to another node. The kernel sends them when a link's MAC is set
 * (NETDEV_CHANGEADDR), even to the same value; closing a packet socket would take some ms (synchronize_net).
 */
export function announceAddresses(device: string, pod: NetworkNamespace): void {
  pod.run(() => {
    enableSysctl(`ipv4/conf/${device}/arp_notify`);
    enableSysctl(`ipv6/conf/${device}/ndisc_notify`);
  });
  pod.forgetLinks();
  const link = pod.findLink(device);
  if (link === undefined) return;
  try {
    pod.socket.execute(`announce ${device}`, RTM_LINK.new, 0, encodeLinkChange({ index: link.index, mac: link.mac }));
  } catch {
    // the MAC of an ipvlan link cannot be set and did not change: there is nothing to announce
  }
}

function enableSysctl(path: string): void {
  try {
    writeFileSync(buildSysctlPath(path), "1");
  } catch {
    // a kernel without that family
  }
}

import { writeFileSync } from "node:fs";
import { encodeLinkChange, RTM_LINK } from "../../netlink/link.ts";
import type { Namespace } from "../kernel.ts";

/**
 * Tells the wire which MAC the pod's addresses have now: gratuitous ARP and unsolicited neighbour advertisements, so that
 * a fixed address that moved between nodes is reached at once. The kernel sends them itself when a link's MAC is set
 * (NETDEV_CHANGEADDR), be it the same one; a packet socket of our own would take some ms to close (synchronize_net).
 */
export function announceAddresses(device: string, pod: Namespace): void {
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
    // a link whose MAC is its parent's (ipvlan) tells nothing new; the pod is wired all the same
  }
}

function enableSysctl(path: string): void {
  try {
    writeFileSync(`/proc/sys/net/${path}`, "1");
  } catch {
    // a kernel without that family
  }
}

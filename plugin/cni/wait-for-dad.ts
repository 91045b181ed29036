import { getFamily } from "../datapath/address.ts";
import type { NetworkNamespace } from "../datapath/kernel.ts";
import type { NicRequest } from "../datapath/plan/survey-nic.ts";
import { IFA_FLAG } from "../netlink/interface-address.ts";
import { RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { AddressConflictError, CniError, CODE } from "./error.ts";
import type { PodRef } from "./request.ts";

/** Time limit of the reference plugins (ip.SettleAddresses); DAD takes one second by default (RFC 4862, section 5.1). */
const TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 20;

/**
 * Waits for duplicate address detection of the NIC's IPv6 addresses: the kernel rejects a tentative address as a route's
 * source. The reference plugins only wait if the NIC has an IPv6 gateway.
 *
 * @throws CniError 104 if another host uses an address; RunStandaloneError in the agent, which must not wait
 */
export function waitForDad(
  { ifname, addresses }: NicRequest,
  podNamespace: NetworkNamespace,
  podRef: PodRef,
  mode: ExecMode,
): void {
  const ipv6Addresses = addresses.map(({ ip }) => ip).filter((ip) => getFamily(ip) === "ipv6");
  if (ipv6Addresses.length === 0) return;
  const index = podNamespace.findLink(ifname)?.index;
  const nicName = `${ifname} of pod ${podRef.namespace}/${podRef.name}`;
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const present = podNamespace
      .listAddresses()
      .filter((entry) => entry.index === index && ipv6Addresses.some((ip) => ip === entry.address));
    const failed = present.find(({ flags = 0 }) => (flags & IFA_FLAG.dadFailed) !== 0);
    if (failed !== undefined)
      throw new AddressConflictError(
        failed.address,
        "",
        `${failed.address}, meant for ${nicName}, is used by another host: the kernel's duplicate address detection failed`,
        "Find that host (`ip -6 neighbour`, the switch's table), or keep the address out of the pool (excludes).",
      );
    const tentative = present.find(({ flags = 0 }) => (flags & IFA_FLAG.tentative) !== 0);
    if (tentative === undefined) return;
    if (mode === "agent") throw new RunStandaloneError(`${tentative.address} is tentative`);
    if (Date.now() > deadline)
      throw new CniError(
        CODE.unsupportedPod,
        `${tentative.address} of ${nicName} is still tentative after ${TIMEOUT_MS / 1000} s`,
        "The link may be down: see `ip -6 address` and `ip link` in the pod, and the uplink on the node.",
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_INTERVAL_MS);
  }
}

import { familyOf } from "../datapath/address.ts";
import type { Namespace } from "../datapath/kernel.ts";
import type { PodNic } from "../datapath/plan/survey-nic.ts";
import { IFA_FLAG } from "../netlink/address.ts";
import { RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { AddressConflictError, CniError, CODE } from "./error.ts";
import type { PodRef } from "./request.ts";

/** The reference plugins' own limit (ip.SettleAddresses); DAD takes one second by default (RFC 4862, section 5.1). */
const TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 20;

/**
 * Waits until the kernel has seen that nobody else has the NIC's IPv6 addresses: before that it takes none of them for a
 * route's source. The reference plugins wait themselves only where there is an IPv6 gateway. Throws CniError 104 for an
 * address that somebody else has, NotServedError instead of waiting in the agent.
 */
export function waitForDad({ ifname, addresses }: PodNic, pod: Namespace, ref: PodRef, way: ExecMode): void {
  const own = addresses.map(({ ip }) => ip).filter((ip) => familyOf(ip) === "ipv6");
  if (own.length === 0) return;
  const index = pod.findLink(ifname)?.index;
  const where = `${ifname} of pod ${ref.namespace}/${ref.name}`;
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const there = pod.addresses().filter((one) => one.index === index && own.some((ip) => ip === one.address));
    const failed = there.find(({ flags = 0 }) => (flags & IFA_FLAG.dadFailed) !== 0);
    if (failed !== undefined)
      throw new AddressConflictError(
        failed.address,
        "",
        `${failed.address}, meant for ${where}, is held by somebody else: the kernel's duplicate address detection failed`,
        "Find that machine (`ip -6 neighbour`, the switch's table), or keep the address out of the pool (excludes).",
      );
    const tentative = there.find(({ flags = 0 }) => (flags & IFA_FLAG.tentative) !== 0);
    if (tentative === undefined) return;
    if (way === "agent") throw new RunStandaloneError(`${tentative.address} is tentative`);
    if (Date.now() > deadline)
      throw new CniError(
        CODE.unsupportedPod,
        `${tentative.address} of ${where} is still tentative after ${TIMEOUT_MS / 1000} s`,
        "The link may be down: see `ip -6 address` and `ip link` in the pod, and the uplink on the node.",
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_INTERVAL_MS);
  }
}

import type { Namespace } from "../datapath/kernel.ts";
import { probeWire } from "../datapath/probe/probe.ts";
import type { PodNic } from "../datapath/plan/survey-nic.ts";
import { RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { AddressConflictError, CniError, CODE } from "./error.ts";
import type { Options } from "./options.ts";
import type { PodRef } from "./request.ts";

/**
 * Before anything is made: nobody else has the addresses, and the gateways answer, as far as the configuration asks for
 * it. Answers are waited for, so the agent does not ask.
 */
export function probeAddresses(nic: PodNic, options: Options, pod: Namespace, ref: PodRef, way: ExecMode): void {
  const { conflictDetection: conflicts, gatewayDetection: gateways, probeAttempts, probeIntervalMs } = options;
  if (!conflicts && !gateways) return;
  if (way === "agent") throw new RunStandaloneError("the wire is to be asked");
  const link = pod.findLink(nic.ifname);
  if (link === undefined) return; // the survey has said so
  const { conflict, silent } = probeWire(
    { index: link.index, mac: link.mac, ownMacs: pod.links().map(({ mac }) => mac), addresses: nic.addresses },
    { conflicts, gateways, attempts: probeAttempts, interval: probeIntervalMs },
    pod,
  );
  const where = `${nic.ifname} of pod ${ref.namespace}/${ref.name}`;
  if (conflict !== undefined)
    throw new AddressConflictError(
      conflict.address,
      conflict.mac,
      `${conflict.address}, meant for ${where}, is held by ${conflict.mac} already`,
      "Find that machine (`ip neighbour`, the switch's table), or keep the address out of the pool (excludes).",
    );
  if (silent.length > 0)
    throw new CniError(
      CODE.gatewaySilent,
      `${silent.join(" and ")}, gateway of ${where}, did not answer ${probeAttempts} times within ${probeIntervalMs} ms`,
      "See whether the pool names the right gateway, and the uplink the right network (VLAN).",
    );
}

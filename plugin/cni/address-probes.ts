import type { NetworkNamespace } from "../datapath/kernel.ts";
import { probeWire } from "../datapath/probe/probe.ts";
import type { NicRequest } from "../datapath/plan/survey-nic.ts";
import { RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { AddressConflictError, CniError, CODE } from "./error.ts";
import type { NetworkOptions } from "./network-options.ts";
import type { PodRef } from "./request.ts";

/**
 * Checks, if configured, that no other host uses the addresses and that the gateways reply. Runs before any change.
 *
 * @throws RunStandaloneError in the agent, which must not wait for replies
 */
export function probeAddresses(
  nic: NicRequest,
  options: NetworkOptions,
  podNamespace: NetworkNamespace,
  podRef: PodRef,
  mode: ExecMode,
): void {
  const { conflictDetection: conflicts, gatewayDetection: gateways, probeAttempts, probeIntervalMs } = options;
  if (!conflicts && !gateways) return;
  if (mode === "agent") throw new RunStandaloneError("the addresses must be probed");
  const link = podNamespace.findLink(nic.ifname);
  if (link === undefined) return; // surveyNic has reported it
  const { conflict, silent } = probeWire(
    {
      index: link.index,
      mac: link.mac,
      ownMacs: podNamespace.listLinks().map(({ mac }) => mac),
      addresses: nic.addresses,
    },
    { conflicts, gateways, attempts: probeAttempts, interval: probeIntervalMs },
    podNamespace,
  );
  const nicName = `${nic.ifname} of pod ${podRef.namespace}/${podRef.name}`;
  if (conflict !== undefined)
    throw new AddressConflictError(
      conflict.address,
      conflict.mac,
      `${conflict.address}, meant for ${nicName}, is already used by ${conflict.mac}`,
      "Find that host (`ip neighbour`, the switch's table), or keep the address out of the pool (excludes).",
    );
  if (silent.length > 0)
    throw new CniError(
      CODE.gatewaySilent,
      `${silent.join(" and ")}, gateway of ${nicName}, did not answer ${probeAttempts} times within ${probeIntervalMs} ms`,
      "Check the pool's gateway and the uplink's network (VLAN).",
    );
}

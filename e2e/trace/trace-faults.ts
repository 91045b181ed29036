import type { TraceFault } from "./trace-fault.ts";
import { IPTABLES_FAULTS } from "./iptables-faults.ts";
import { NFTABLES_FAULTS } from "./nftables-faults.ts";
import { POLICY_FAULTS } from "./policy-faults.ts";
import { ROUTING_FAULTS } from "./routing-faults.ts";

/** Faults made by hand that the doctor has no check for. */
export const TRACE_FAULTS: readonly TraceFault[] = [
  ...NFTABLES_FAULTS,
  ...IPTABLES_FAULTS,
  ...ROUTING_FAULTS,
  ...POLICY_FAULTS,
];

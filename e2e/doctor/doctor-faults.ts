import { CONNECTION_FAULTS } from "./connection-faults.ts";
import type { Fault } from "./doctor-fault.ts";
import { START_FAULTS } from "./start-faults.ts";

/** All faults; they need kube-proxy v1.29, started while the sysctl is 0. */
export const FAULTS: readonly Fault[] = [...CONNECTION_FAULTS, ...START_FAULTS];

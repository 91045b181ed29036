import { CONNECTION_FAULTS } from "./connection-faults.ts";
import type { Fault } from "./doctor-fault.ts";
import { START_FAULTS } from "./start-faults.ts";

/** Faults, for kube-proxy v1.29 started with the sysctl 0. */
export const FAULTS: readonly Fault[] = [...CONNECTION_FAULTS, ...START_FAULTS];

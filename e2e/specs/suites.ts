import type { TestRun } from "../support/test-run.ts";

interface SpecFile {
  registerSpecs(run: TestRun): void;
}

/** The spec files of each suite, in the order in which the help lists them. */
const SUITES: Readonly<Record<string, () => readonly Promise<SpecFile>[]>> = {
  matrix: () => [import("./matrix.e2e.ts")],
  plugin: () => [import("./plugin.e2e.ts")],
  agent: () => [import("./agent.e2e.ts")],
  discovery: () => [import("./discovery.e2e.ts")],
  "return-path": () => [import("./return-path.e2e.ts")],
  "agent-cluster": () => [import("./agent-cluster.e2e.ts")],
  doctor: () => [import("./doctor.e2e.ts")],
  trace: () => [import("./trace.e2e.ts")],
  rbac: () => [import("./security/rbac.e2e.ts")],
  security: () => [import("./security/security.e2e.ts")],
  install: () => [import("./install.e2e.ts"), import("./upgrade.e2e.ts"), import("./uninstall.e2e.ts")],
  "documented-install": () => [import("./commands/documented-install.e2e.ts")],
  "quick-start": () => [import("./quick-start.e2e.ts")],
  evidence: () => [import("./evidence.e2e.ts")],
  "client-network": () => [import("./client-network.e2e.ts")],
  rerun: () => [import("./commands/rerun.e2e.ts")],
  validation: () => [import("./validation.e2e.ts")],
  ipam: () => [import("./ipam.e2e.ts"), import("./ipam-faults.e2e.ts")],
  "existing-cluster": () => [import("./commands/existing-cluster.e2e.ts")],
  "foreign-solutions": () => [import("./commands/foreign-solutions.e2e.ts")],
  "in-cluster": () => [import("./commands/in-cluster.e2e.ts")],
  "lab-isolation": () => [import("./commands/lab-isolation.e2e.ts")],
  parity: () => [import("./parity.e2e.ts")],
  mutants: () => [import("./mutants.e2e.ts")],
  chaos: () => [import("./chaos.e2e.ts")],
};

export const SUITE_NAMES: readonly string[] = Object.keys(SUITES);

/** Registers the specs of suites, in the given order. @throws an error for an unknown suite */
export async function registerSuites(names: readonly string[], run: TestRun): Promise<void> {
  for (const name of names) {
    const load = SUITES[name];
    if (load === undefined) throw new Error(`unknown suite "${name}": use ${SUITE_NAMES.join(", ")}`);
    for (const file of await Promise.all(load())) file.registerSpecs(run);
  }
}

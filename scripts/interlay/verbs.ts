import { CLUSTER_VERBS, OTHER, PROGRAM_VERBS } from "./cluster-verbs.ts";
import { DEVELOPER_VERBS } from "./commands/dev.ts";
import type { Verb } from "./program/program.ts";

const TEST = "Test:";

/** All commands of `interlay`. The modules of a command are loaded when it is named. */
export const VERBS: readonly Verb[] = [
  ...CLUSTER_VERBS,
  {
    name: "test",
    summary: "run the connectivity matrix on the cluster of the kubeconfig",
    group: TEST,
    load: async () => (await import("../e2e/run-e2e.ts")).createTestCommand(),
  },
  {
    name: "certify",
    summary: "run the suite for a certificate, and verify certificates",
    group: TEST,
    load: async () => (await import("./commands/certify.ts")).createCertifyCommand(),
  },
  {
    name: "report",
    summary: "show, compare and serve the results of runs",
    group: TEST,
    load: async () => (await import("./commands/report.ts")).createReportCommand(),
  },
  {
    name: "cluster",
    summary: "create, list and delete clusters on this computer",
    group: TEST,
    verbs: [
      {
        name: "up",
        summary: "create a cluster with Calico, Multus, macvlan and Interlay",
        load: async () => (await import("./commands/cluster-up.ts")).createUpCommand(),
      },
      {
        name: "list",
        summary: "list the clusters of this computer",
        load: async () => (await import("./commands/cluster-list.ts")).createListCommand(),
      },
      {
        name: "down",
        summary: "delete a cluster",
        load: async () => (await import("./commands/cluster-down.ts")).createDownCommand(),
      },
    ],
  },
  ...PROGRAM_VERBS,
  {
    name: "complete",
    summary: "print the completions of a command line",
    hidden: true,
    load: async () => (await import("./commands/completion.ts")).createCompleteCommand(VERBS),
  },
  {
    name: "dev",
    summary: "commands for maintainers",
    group: OTHER,
    verbs: [
      {
        name: "e2e",
        summary: "create a cluster, run suites, delete the cluster",
        load: async () => (await import("../e2e/run-e2e.ts")).createE2eCommand(),
      },
      ...DEVELOPER_VERBS,
    ],
  },
];

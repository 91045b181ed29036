import { DEVELOPER_VERBS } from "./commands/dev.ts";
import type { Verb } from "./program/program.ts";

const INSTALL = "Install:";
const INSPECT = "Inspect:";
const TEST = "Test:";
const OTHER = "Other:";

/** All commands of `interlay`. The modules of a command are loaded when it is named. */
export const VERBS: readonly Verb[] = [
  {
    name: "install",
    summary: "install or upgrade Interlay in a cluster, and wait until it is ready",
    group: INSTALL,
    load: async () => (await import("./commands/install.ts")).createInstallCommand(),
  },
  {
    name: "status",
    summary: "print whether Interlay is ready on each node, and why not",
    group: INSTALL,
    load: async () => (await import("./commands/status.ts")).createStatusCommand(),
  },
  {
    name: "uninstall",
    summary: "remove Interlay from a cluster, and restore its nodes",
    group: INSTALL,
    load: async () => (await import("./commands/uninstall.ts")).createUninstallCommand(),
  },
  {
    name: "doctor",
    summary: "predict which connections fail, and what to do",
    group: INSPECT,
    load: async () => (await import("./commands/doctor.ts")).createDoctorCommand(),
  },
  {
    name: "explain",
    summary: "print the reason for each link, route and rule of a pod",
    group: INSPECT,
    load: async () => (await import("./commands/explain.ts")).createExplainCommand(),
  },
  {
    name: "trace",
    summary: "compute the path of a connection, and which rule decides",
    group: INSPECT,
    load: async () => (await import("./commands/trace.ts")).createTraceCommand(),
  },
  {
    name: "ip",
    summary: "list, check and release underlay addresses",
    group: INSPECT,
    load: async () => (await import("./commands/ip.ts")).createIpCommand(),
  },
  {
    name: "sysdump",
    summary: "write the state of a cluster to an archive, without secrets",
    group: INSPECT,
    load: async () => (await import("./commands/sysdump.ts")).createSysdumpCommand(),
  },
  {
    name: "migrate",
    summary: "convert pools and addresses of whereabouts or Spiderpool",
    group: INSTALL,
    load: async () => (await import("./commands/migrate.ts")).createMigrateCommand(),
  },
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
  {
    name: "version",
    summary: "print the versions of this program, and of a cluster's agents",
    group: OTHER,
    load: async () => (await import("./commands/version.ts")).createVersionCommand(),
  },
  {
    name: "completion",
    summary: "print the completion script of bash, zsh or fish",
    group: OTHER,
    load: async () => (await import("./commands/completion.ts")).createCompletionCommand(),
  },
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

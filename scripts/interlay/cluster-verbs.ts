import type { Verb } from "./program/program.ts";

const INSTALL = "Install:";
const INSPECT = "Inspect:";
/** Heading of the commands that need no cluster. */
export const OTHER = "Other:";

/** Commands that need nothing but a kubeconfig. The modules of a command are loaded when it is named. */
export const CLUSTER_VERBS: readonly Verb[] = [
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
    name: "ui",
    summary: "serve a page of the cluster with traces between pods, on this computer",
    group: INSPECT,
    load: async () => (await import("./commands/ui.ts")).createUiCommand(),
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
    name: "migrate-storage",
    summary: "store all objects in one version of the API",
    group: INSTALL,
    load: async () => (await import("./commands/migrate-storage.ts")).createMigrateStorageCommand(),
  },
];

/** Commands about the program itself. */
export const PROGRAM_VERBS: readonly Verb[] = [
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
];

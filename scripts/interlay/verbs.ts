import { DEVELOPER_VERBS } from "./dev.ts";
import type { Verb } from "./program.ts";

const INSTALL = "Install:";
const INSPECT = "Inspect:";
const TEST = "Test:";
const OTHER = "Other:";

/** All commands of `interlay`. The modules of a command are loaded when it is named. */
export const VERBS: readonly Verb[] = [
  {
    name: "uninstall",
    summary: "remove Interlay from a cluster, and restore its nodes",
    group: INSTALL,
    load: async () => (await import("../uninstall.ts")).createUninstallCommand(),
  },
  {
    name: "doctor",
    summary: "predict which connections fail, and what to do",
    group: INSPECT,
    load: async () => (await import("../doctor.ts")).createDoctorCommand(),
  },
  {
    name: "ip",
    summary: "list, check and release underlay addresses",
    group: INSPECT,
    load: async () => (await import("../ipam.ts")).createIpCommand(),
  },
  {
    name: "sysdump",
    summary: "write the state of a cluster to an archive, without secrets",
    group: INSPECT,
    load: async () => (await import("../sysdump.ts")).createSysdumpCommand(),
  },
  {
    name: "test",
    summary: "run the connectivity matrix on the cluster of the kubeconfig",
    group: TEST,
    load: async () => (await import("../e2e.ts")).createTestCommand(),
  },
  {
    name: "certify",
    summary: "run the suite for a certificate, and verify certificates",
    group: TEST,
    load: async () => (await import("./certify.ts")).createCertifyCommand(),
  },
  {
    name: "report",
    summary: "show, compare and serve the results of runs",
    group: TEST,
    load: async () => (await import("./report.ts")).createReportCommand(),
  },
  {
    name: "cluster",
    summary: "create, list and delete clusters on this computer",
    group: TEST,
    verbs: [
      {
        name: "up",
        summary: "create a cluster with Calico, Multus, macvlan and Interlay",
        load: async () => (await import("../up.ts")).createUpCommand(),
      },
      {
        name: "down",
        summary: "delete a cluster",
        load: async () => (await import("../down.ts")).createDownCommand(),
      },
    ],
  },
  {
    name: "dev",
    summary: "commands for maintainers",
    group: OTHER,
    verbs: [
      {
        name: "e2e",
        summary: "create a cluster, run suites, delete the cluster",
        load: async () => (await import("../e2e.ts")).createE2eCommand(),
      },
      ...DEVELOPER_VERBS,
    ],
  },
];

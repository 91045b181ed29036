import type { Environment } from "../../spec/environment.ts";

export const MULTUS_THICK: Environment = {
  name: "multus-thick",
  title: "Multus as a daemon with a shim",
  realClusters: "clusters that apply Multus' own multus-daemonset-thick.yml",
  changes:
    "Multus runs as a daemon on every node and calls plugins in the host's root; the plugin is a shim, and its configuration is generated from Calico's",
  spec: { multus: "thick" },
  providers: ["lab"],
  impossible: [],
};

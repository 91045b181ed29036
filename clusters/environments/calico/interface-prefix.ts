import type { Environment } from "../../spec/environment.ts";

export const INTERFACE_PREFIX: Environment = {
  name: "interface-prefix",
  title: "Calico's pod links with another name prefix",
  realClusters: "clusters with FELIX_INTERFACEPREFIX, like those that came from another CNI plugin",
  changes: "pods' links on the node are named pod… instead of cali…",
  spec: { calico: { interfacePrefix: "pod" } },
  providers: ["lab"],
  impossible: [],
};

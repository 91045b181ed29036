import type { Environment } from "../../spec/environment.ts";

export const WIREGUARD: Environment = {
  name: "wireguard",
  title: "Calico with WireGuard",
  realClusters: "clusters with wireguardEnabled",
  changes: "Calico encrypts pod traffic between nodes",
  spec: { calico: { env: { FELIX_WIREGUARDENABLED: "true" } } },
  providers: ["lab"],
  requires: [{ linkType: "wireguard" }],
  impossible: [],
};

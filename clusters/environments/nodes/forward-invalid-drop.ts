import type { Environment } from "../../spec/environment.ts";

export const FORWARD_INVALID_DROP: Environment = {
  name: "forward-invalid-drop",
  title: "an INVALID drop rule directly in FORWARD",
  realClusters: "hardened nodes, and clusters with a rule of their own against kubernetes/kubernetes issue 74839",
  changes: "the first rule of the FORWARD chain drops packets that conntrack calls INVALID",
  spec: { nodes: { iptables: [["-I", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"]] } },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};

import type { Environment } from "../environment.ts";

export const FORWARD_REJECT_FIREWALLD: Environment = {
  name: "forward-reject-firewalld",
  title: "FORWARD ends with REJECT, as firewalld's iptables backend leaves it",
  realClusters: "nodes of the RHEL family on which firewalld runs with its iptables backend",
  changes: "the FORWARD chain accepts known connections, drops INVALID packets and rejects everything else",
  spec: {
    nodes: {
      iptables: [
        ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-i", "lo", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"],
        ["-A", "FORWARD", "-j", "REJECT"],
      ],
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};

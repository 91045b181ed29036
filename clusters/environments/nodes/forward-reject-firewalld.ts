import type { Environment } from "../../spec/environment.ts";

export const FORWARD_REJECT_FIREWALLD: Environment = {
  name: "forward-reject-firewalld",
  title: "FORWARD ends with REJECT, as firewalld's iptables backend leaves it",
  realClusters:
    "nodes of the RHEL family on which firewalld runs with its iptables backend, Calico's pod links in the trusted zone",
  changes:
    "the FORWARD chain accepts known connections and Calico's pod links, drops INVALID packets and rejects everything else",
  spec: {
    nodes: {
      iptables: [
        ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-i", "lo", "-j", "ACCEPT"],
        // The trusted zone. Without it Calico's own pods are rejected: Calico appends its accept rule to the chain.
        ["-A", "FORWARD", "-i", "cali+", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-o", "cali+", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"],
        ["-A", "FORWARD", "-j", "REJECT"],
      ],
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};

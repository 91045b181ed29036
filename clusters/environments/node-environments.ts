import type { Environment } from "../spec/environment.ts";

/** Environments with other settings of nodes, in the order of a run: firewall rules, sysctls, MTU, a second link. */
export const NODE_ENVIRONMENTS: readonly Environment[] = [
  {
    name: "forward-drop-docker",
    title: "FORWARD policy DROP, as Docker leaves it",
    realClusters: "nodes on which dockerd runs or ran",
    changes: "the policy of the FORWARD chain is DROP, with Docker's own chains before it",
    spec: {
      nodes: {
        iptables: [
          ["-N", "DOCKER-USER"],
          ["-A", "DOCKER-USER", "-j", "RETURN"],
          ["-N", "DOCKER-ISOLATION-STAGE-1"],
          ["-A", "DOCKER-ISOLATION-STAGE-1", "-j", "RETURN"],
          ["-A", "FORWARD", "-j", "DOCKER-USER"],
          ["-A", "FORWARD", "-j", "DOCKER-ISOLATION-STAGE-1"],
          ["-A", "FORWARD", "-o", "docker0", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
          ["-A", "FORWARD", "-i", "docker0", "!", "-o", "docker0", "-j", "ACCEPT"],
          ["-P", "FORWARD", "DROP"],
        ],
      },
    },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
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
  },
  {
    name: "forward-invalid-drop",
    title: "an INVALID drop rule directly in FORWARD",
    realClusters: "hardened nodes, and clusters with a rule of their own against kubernetes/kubernetes issue 74839",
    changes: "the first rule of the FORWARD chain drops packets that conntrack calls INVALID",
    spec: { nodes: { iptables: [["-I", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"]] } },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
    name: "rp-filter-strict",
    title: "strict reverse path filter",
    realClusters: "nodes of the RHEL family and hardened nodes: rp_filter=1 on all links and as the default",
    changes: "net.ipv4.conf.all.rp_filter and net.ipv4.conf.default.rp_filter are 1",
    spec: {
      nodes: {
        sysctls: {
          "net.ipv4.conf.all.rp_filter": "1",
          "net.ipv4.conf.default.rp_filter": "1",
          "net.ipv4.conf.eth0.rp_filter": "1",
        },
      },
    },
    providers: ["kind", "lab"],
  },
  {
    name: "conntrack-not-loose",
    title: "conntrack picks up no connection in its middle",
    realClusters: "hardened nodes with nf_conntrack_tcp_loose=0",
    changes: "net.netfilter.nf_conntrack_tcp_loose is 0",
    spec: { nodes: { sysctls: { "net.netfilter.nf_conntrack_tcp_loose": "0" } } },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
    name: "strict-arp",
    title: "strict ARP",
    realClusters: "clusters with MetalLB, kube-vip or kube-proxy's strictARP",
    changes: "arp_ignore is 1 and arp_announce is 2 on all links",
    spec: {
      nodes: {
        sysctls: {
          "net.ipv4.conf.all.arp_ignore": "1",
          "net.ipv4.conf.all.arp_announce": "2",
          "net.ipv4.conf.default.arp_ignore": "1",
          "net.ipv4.conf.default.arp_announce": "2",
        },
      },
    },
    providers: ["kind", "lab"],
  },
  {
    name: "mtu-9000",
    title: "MTU 9000 on the wire",
    realClusters: "data centres with jumbo frames",
    changes: "the wire and the nodes' links have MTU 9000, Calico's links 8950",
    spec: { nodes: { mtu: 9000 } },
    providers: ["lab"],
    families: "dual",
  },
  {
    name: "mtu-1400",
    title: "MTU 1400 on the wire",
    realClusters: "nodes on a tunnel or on a cloud network, like OpenStack with VXLAN and GCP",
    changes: "the wire and the nodes' links have MTU 1400, Calico's links 1350",
    spec: { nodes: { mtu: 1400 } },
    providers: ["lab"],
    families: "dual",
  },
  {
    name: "second-nic",
    title: "InternalIP on the second link",
    realClusters: "nodes whose first link is for management, with the default route",
    changes:
      "every node has a management link with the default route, and its InternalIP on a second link, which is the parent of the underlay links",
    spec: { topology: "second-nic" },
    providers: ["lab"],
  },
];

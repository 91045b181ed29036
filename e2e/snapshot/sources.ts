import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Commands for every node by the name of the output file, which has the error if a program is missing (nft, conntrack). */
export const NODE_SOURCES: Readonly<Record<string, readonly string[]>> = {
  "links.txt": ["ip", "-d", "-s", "link"],
  "addresses.txt": ["ip", "address"],
  "routes.txt": ["ip", "route", "show", "table", "all"],
  "routes6.txt": ["ip", "-6", "route", "show", "table", "all"],
  "rules.txt": ["ip", "rule"],
  "rules6.txt": ["ip", "-6", "rule"],
  "neighbours.txt": ["ip", "neigh"],
  "nft.txt": ["nft", "list", "ruleset"],
  "iptables.txt": ["iptables-save", "-c"],
  "ip6tables.txt": ["ip6tables-save", "-c"],
  "conntrack.txt": ["conntrack", "-L"],
  "sysctls.txt": ["sysctl", "--all", "--pattern", "^net[.](ipv4|ipv6|netfilter|bridge)[.]"],
  "interlay-facts.json": ["cat", "/var/lib/interlay/facts.json"],
  "interlay-attachments.txt": [
    "find",
    "/var/lib/interlay/attachments",
    "-type",
    "f",
    "-print",
    "-exec",
    "cat",
    "{}",
    ";",
  ],
  "cni-configuration.txt": ["find", "/etc/cni/net.d", "-name", "*.conf*", "-print", "-exec", "cat", "{}", ";"],
  "kubelet.log": ["journalctl", "--no-pager", "--lines=400", "--unit=kubelet"],
};

/** Commands for the network namespace of every probe. */
export const POD_SOURCES: readonly string[] = [
  "ip -d link",
  "ip address",
  "ip route show table all",
  "ip rule",
  "ip neigh",
];

/** Namespaces of the components, whose logs are collected. */
export const LOG_NAMESPACES = [
  "kube-system",
  "interlay-system",
  "calico-system",
  "kube-flannel",
  "interlay-e2e",
] as const;

/** Resources with Interlay's configuration and status, and what it works on. */
export const OBJECTS = [
  [GROUP_VERSION, "NodeState"],
  [GROUP_VERSION, "UnderlayNetwork"],
  [GROUP_VERSION, "UnderlayPool"],
  [GROUP_VERSION, "UnderlayAddress"],
  ["k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"],
  ["crd.projectcalico.org/v1", "IPPool"],
  ["apps/v1", "DaemonSet"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  ["v1", "Service"],
  ["v1", "Pod"],
  ["v1", "Node"],
  ["v1", "Event"],
] as const;

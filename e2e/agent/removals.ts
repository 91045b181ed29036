/** Names of the kernel objects of one underlay pod and one multi-NIC pod. */
export interface AttachedPod {
  readonly underlay: { readonly address: string; readonly netns: string; readonly link: string };
  readonly multiNic: { readonly address: string; readonly netns: string };
  readonly overlayCidr: string;
  readonly nodeAddress: string;
}

/** A kind of kernel object of Interlay, the command that removes it, and the command that shows it. */
export interface Removal {
  readonly what: string;
  readonly remove: readonly string[];
  readonly show: readonly string[];
  /** Matches the output of `show` while the object exists. */
  readonly present: RegExp;
}

/** Lists the kernel objects that the specs remove from a node. */
export function listRemovals({ underlay, multiNic, overlayCidr, nodeAddress }: AttachedPod): readonly Removal[] {
  const inPod = (netns: string, ...argv: readonly string[]) => ["nsenter", `--net=${netns}`, ...argv];
  const ruleInPod = `from ${multiNic.address}`;
  return [
    {
      what: "an underlay pod's host route",
      remove: ["ip", "route", "delete", `${underlay.address}/32`],
      show: ["ip", "route", "show", `${underlay.address}/32`],
      present: new RegExp(`dev ${underlay.link}`),
    },
    {
      what: "a multi-NIC pod's host route",
      remove: ["ip", "route", "delete", `${multiNic.address}/32`, "table", "500"],
      show: ["ip", "route", "show", "table", "500"],
      present: new RegExp(`^${multiNic.address} dev cali`, "m"),
    },
    {
      what: "a route in the pod",
      remove: inPod(underlay.netns, "ip", "route", "delete", overlayCidr),
      show: inPod(underlay.netns, "ip", "route"),
      present: new RegExp(`^${overlayCidr} via ${nodeAddress} dev veth0`, "m"),
    },
    {
      what: "the node's rule",
      remove: ["ip", "rule", "delete", "pref", "1000"],
      show: ["ip", "rule", "show", "pref", "1000"],
      present: /lookup 500/,
    },
    {
      what: "a rule in the pod",
      remove: inPod(multiNic.netns, "ip", "rule", "delete", "from", multiNic.address),
      show: inPod(multiNic.netns, "ip", "rule"),
      present: new RegExp(ruleInPod),
    },
    {
      what: "a pinned neighbour",
      remove: ["ip", "neighbour", "delete", underlay.address, "dev", underlay.link],
      show: ["ip", "neighbour", "show", "nud", "permanent"],
      present: new RegExp(`^${underlay.address} dev ${underlay.link} .*PERMANENT`, "m"),
    },
    {
      what: "the nftables table",
      remove: ["nft", "delete", "table", "inet", "interlay"],
      show: ["nft", "list", "tables"],
      present: /table inet interlay/,
    },
    {
      what: "nftables rules in the table",
      remove: ["nft", "flush", "table", "inet", "interlay"],
      show: ["nft", "list", "table", "inet", "interlay"],
      present: /notrack/,
    },
    {
      what: "a sysctl of the node",
      remove: ["sysctl", "-w", `net.ipv4.conf.${underlay.link}.forwarding=0`],
      show: ["sysctl", "-n", `net.ipv4.conf.${underlay.link}.forwarding`],
      present: /^1/,
    },
    {
      what: "a sysctl in the pod",
      remove: inPod(underlay.netns, "sysctl", "-w", "net.ipv4.conf.eth0.rp_filter=1"),
      show: inPod(underlay.netns, "sysctl", "-n", "net.ipv4.conf.eth0.rp_filter"),
      present: /^2/,
    },
    {
      what: "a link that is up",
      remove: ["ip", "link", "set", underlay.link, "down"],
      show: ["ip", "link", "show", underlay.link],
      present: /[<,]UP[,>]/,
    },
    {
      what: "a link, with its routes and neighbours",
      remove: ["ip", "link", "delete", underlay.link],
      show: ["ip", "route", "show", `${underlay.address}/32`],
      present: new RegExp(`dev ${underlay.link}`),
    },
  ];
}

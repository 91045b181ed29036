/** Sysctls of a link that decide over packets: net/ipv4/conf/LINK and net/ipv6/conf/LINK. */
const LINK_SYSCTLS = [
  "accept_local",
  "arp_accept",
  "arp_announce",
  "arp_filter",
  "arp_ignore",
  "disable_ipv6",
  "disable_policy",
  "forwarding",
  "force_forwarding",
  "hop_limit",
  "ignore_routes_with_linkdown",
  "mtu",
  "proxy_arp",
  "proxy_arp_pvlan",
  "proxy_ndp",
  "route_localnet",
  "rp_filter",
  "src_valid_mark",
];

/** Sysctls of a network namespace. Keys (tcp_fastopen_key, stable_secret) are not among them. */
const NAMESPACE_SYSCTLS = [
  "bridge-nf-call-arptables",
  "bridge-nf-call-ip6tables",
  "bridge-nf-call-iptables",
  "echo_ignore_all",
  "fib_multipath_hash_policy",
  "fwmark_reflect",
  "icmp_echo_ignore_all",
  "ip_default_ttl",
  "ip_forward",
  "ip_forward_use_pmtu",
  "ip_no_pmtu_disc",
  "ip_nonlocal_bind",
  "nf_conntrack_count",
  "nf_conntrack_max",
  "nf_conntrack_tcp_be_liberal",
  "nf_conntrack_tcp_loose",
  "tcp_fwmark_accept",
  "tcp_l3mdev_accept",
  "udp_l3mdev_accept",
  // The limits of the neighbour tables, net/ipv4/neigh/default and net/ipv6/neigh/default.
  "gc_thresh3",
];

/** Files of the kernel that list the tables of the legacy iptables backend. */
const LEGACY_TABLES = ["ip_tables_names", "ip6_tables_names"] as const;

const DIRECTORIES = ["ipv4", "ipv6", "netfilter", "bridge"];
const SYSCTLS = "/proc/sys/";

/** Command that prints all of these files, one `PATH:VALUE` a line. It is one process for thousands of files. */
export const READ_SYSCTLS: readonly string[] = [
  "grep",
  "-rsH",
  ...[...LINK_SYSCTLS, ...NAMESPACE_SYSCTLS, ...LEGACY_TABLES].map((name) => `--include=${name}`),
  "",
  ...DIRECTORIES.map((name) => `${SYSCTLS}net/${name}`),
  ...LEGACY_TABLES.map((name) => `/proc/net/${name}`),
];

/** Content of the files of `READ_SYSCTLS`. */
interface ProcState {
  /** By the path below /proc/sys, e.g. `net/ipv4/conf/eth0/rp_filter`. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly legacyTables: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
}

/** Parses the output of `READ_SYSCTLS`. */
export function parseSysctls(text: string): ProcState {
  const lines = text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":"); // names of links have none
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const];
  });
  const listTables = (name: (typeof LEGACY_TABLES)[number]) =>
    lines.flatMap(([path, value]) => (path === `/proc/net/${name}` ? [value] : []));
  return {
    sysctls: Object.fromEntries(
      lines.flatMap(([path, value]) =>
        path.startsWith(SYSCTLS) ? [[path.slice(SYSCTLS.length), value] as const] : [],
      ),
    ),
    legacyTables: { ipv4: listTables("ip_tables_names"), ipv6: listTables("ip6_tables_names") },
  };
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Sysctls of a link that affect packets: net/ipv4/conf/LINK and net/ipv6/conf/LINK. */
const LINK_SYSCTLS = {
  ipv4: [
    "accept_local",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "disable_policy",
    "forwarding",
    "ignore_routes_with_linkdown",
    "proxy_arp",
    "proxy_arp_pvlan",
    "route_localnet",
    "rp_filter",
    "src_valid_mark",
  ],
  ipv6: [
    "disable_ipv6",
    "disable_policy",
    "force_forwarding",
    "forwarding",
    "hop_limit",
    "ignore_routes_with_linkdown",
    "mtu",
    "proxy_ndp",
  ],
} as const;

/** Sysctls of a network namespace, without secrets (tcp_fastopen_key, stable_secret). */
const NAMESPACE_SYSCTLS = [
  "bridge/bridge-nf-call-arptables",
  "bridge/bridge-nf-call-ip6tables",
  "bridge/bridge-nf-call-iptables",
  "ipv4/fib_multipath_hash_policy",
  "ipv4/fwmark_reflect",
  "ipv4/icmp_echo_ignore_all",
  "ipv4/ip_default_ttl",
  "ipv4/ip_forward",
  "ipv4/ip_forward_use_pmtu",
  "ipv4/ip_no_pmtu_disc",
  "ipv4/ip_nonlocal_bind",
  "ipv4/neigh/default/gc_thresh3",
  "ipv4/tcp_fwmark_accept",
  "ipv4/tcp_l3mdev_accept",
  "ipv4/udp_l3mdev_accept",
  "ipv6/fib_multipath_hash_policy",
  "ipv6/fwmark_reflect",
  "ipv6/icmp/echo_ignore_all",
  "ipv6/ip_nonlocal_bind",
  "ipv6/neigh/default/gc_thresh3",
  "netfilter/nf_conntrack_count",
  "netfilter/nf_conntrack_max",
  "netfilter/nf_conntrack_tcp_be_liberal",
  "netfilter/nf_conntrack_tcp_loose",
];

/** Content of the files of /proc that affect packets. */
export interface ProcState {
  /** Values by their path below /proc/sys, e.g. `net/ipv4/conf/eth0/rp_filter`. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Tables of the legacy iptables backend. */
  readonly legacyTables: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
}

/**
 * Reads the sysctls of the network namespace that this thread is in, and which legacy tables it has.
 *
 * @param proc directory of the proc file system; for tests
 * @throws an error if IPv4's sysctls are missing, because the directory is not that of a network namespace
 */
export function readSysctls(proc = "/proc"): ProcState {
  const net = join(proc, "sys/net");
  const paths = [
    ...NAMESPACE_SYSCTLS,
    ...(["ipv4", "ipv6"] as const).flatMap((family) =>
      listDirectory(join(net, family, "conf")).flatMap((link) =>
        LINK_SYSCTLS[family].map((name) => `${family}/conf/${link}/${name}`),
      ),
    ),
  ];
  const sysctls = Object.fromEntries(
    paths.flatMap((path) => {
      const value = readText(join(net, path));
      return value === undefined ? [] : [[`net/${path}`, value] as const];
    }),
  );
  if (sysctls["net/ipv4/ip_forward"] === undefined) throw new Error(`${net} has no sysctl ipv4/ip_forward`);
  const listTables = (file: string): readonly string[] =>
    (readText(join(proc, "net", file)) ?? "").split("\n").filter((name) => name !== "");
  return { sysctls, legacyTables: { ipv4: listTables("ip_tables_names"), ipv6: listTables("ip6_tables_names") } };
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // a kernel without IPv6
  }
}

/** Reads a file; undefined if this kernel does not have it, or if its link was removed. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

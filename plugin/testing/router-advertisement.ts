import { execInNetns } from "./exec.ts";

/** The prefix that the advertisements name for SLAAC, without its last colon. */
export const ADVERTISED_PREFIX = "2001:db8:77:";

/** Perl program that sends an advertisement with a default route and a prefix (RFC 4861, 4.2 and 4.6.2) to all hosts by eth0. */
const PROGRAM = `
use Socket qw(:DEFAULT AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in6);
open(my $file, "<", "/sys/class/net/eth0/ifindex") or die; my $index = <$file>;
socket(my $socket, AF_INET6, SOCK_RAW, 58) or die "socket: $!";
setsockopt($socket, 41, 18, pack("i", 255)) or die "hops: $!";
setsockopt($socket, 41, 17, pack("i", $index)) or die "link: $!";
my $head = pack("CCnCCnNN", 134, 0, 0, 64, 0, 1800, 0, 0);
my $prefix = pack("CCCCNNN", 3, 4, 64, 0xc0, 3600, 1800, 0) . inet_pton(AF_INET6, "${ADVERTISED_PREFIX}:");
send($socket, $head . $prefix, 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::1"), $index)) or die "send: $!";
`;

/** Duplicate address detection of a link-local address takes one to two seconds; a busy machine needs longer. */
const DAD_TIMEOUT_MS = 10_000;

/** Waits until a router's eth0 has a link-local address that it may send from. */
function waitForLinkLocal(namespace: string): void {
  const deadline = Date.now() + DAD_TIMEOUT_MS;
  const isUsable = () =>
    execInNetns(namespace, "ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link", "-tentative").trim() !==
    "";
  while (!isUsable())
    if (Date.now() > deadline) throw new Error(`eth0 of ${namespace} has no usable link-local address`);
}

/** Sends one router advertisement from a namespace. */
export function sendAdvertisement(namespace: string): void {
  waitForLinkLocal(namespace);
  execInNetns(namespace, "perl", "-e", PROGRAM);
}

/** Lists the addresses and routes that a link took from advertisements; empty if none. */
export function readAdvertised(namespace: string, link: string): string {
  return [
    ...execInNetns(namespace, "ip", "-6", "-o", "address", "show", "dev", link).split("\n"),
    ...execInNetns(namespace, "ip", "-6", "route", "show", "dev", link).split("\n"),
  ]
    .filter((line) => line.includes(ADVERTISED_PREFIX) || line.includes("proto ra"))
    .join("\n");
}

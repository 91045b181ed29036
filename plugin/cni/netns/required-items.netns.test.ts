import assert from "node:assert/strict";
import { ADVERTISED_PREFIX, readAdvertised, sendAdvertisement } from "../../testing/router-advertisement.ts";
import { parseIp } from "../../datapath/address.ts";
import { TestNet } from "../../testing/node.ts";
import type { TestNode, TestPod } from "../../testing/invocation.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** The other node; the gateway of the underlay too. */
const GATEWAY = "10.7.168.72";
/** Beyond the gateway. */
const FAR = "192.0.2.9";
/** An underlay pod's address, and a multi-NIC pod's two. */
const UNDERLAY = "10.7.200.1";
const UNDERLAY6 = "fd00:10:7::200:1";
const NET1 = "10.7.200.2";
const OVERLAY = "10.233.64.5";

interface Fixture {
  readonly node: TestNode;
  readonly other: TestNode;
  readonly third: TestNode;
  readonly underlay: TestPod;
  readonly multi: TestPod;
}

interface Needed {
  readonly line: string;
  /** Setting that a cluster may have and the matrix's cluster lacks. */
  readonly when: string;
  readonly arrange?: (world: Fixture) => void;
  readonly reach: (world: Fixture) => boolean;
  readonly takeOut: (world: Fixture) => readonly string[];
}

const inPod = (pod: TestPod, ...argv: readonly string[]) => ["ip", "netns", "exec", pod.namespace, ...argv];
const onNode = (node: TestNode, ...argv: readonly string[]) => ["ip", "netns", "exec", node.name, ...argv];
const findPair = (node: TestNode, address: string): string =>
  /dev (\S+)/.exec(execInNetns(node.name, "ip", "route", "get", address))?.[1] ?? "no link";
/** Answers ARP only for addresses of the link that is asked. */
const ownAddressesOnly = (namespace: string) =>
  execInNetns(namespace, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1");
const findTable = (pod: TestPod, address: string): string =>
  /lookup (\d+)/.exec(execInNetns(pod.namespace, "ip", "rule", "show", "from", address))?.[1] ?? "no table";

/** @param what is looked for in what eth0 took: anything if undefined */
function takesAdvertisement({ namespace }: TestPod, router: TestNode, what = ""): boolean {
  for (let round = 0; round < 10; round++) {
    sendAdvertisement(router.name);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    const lines = readAdvertised(namespace, "eth0").split("\n");
    if (lines.some((line) => line !== "" && line.includes(what) && (what === "" || line.includes("inet6"))))
      return true;
  }
  return false;
}

function filterStrictly({ underlay }: Fixture): void {
  for (const link of ["all", "veth0"])
    execInNetns(underlay.namespace, "sysctl", "-qw", `net.ipv4.conf.${link}.rp_filter=1`);
}

/** Lines that a cluster such as the suite's can do without (e2e/mutants/survivors.ts): here each is missed. */
const NEEDED: readonly Needed[] = [
  {
    line: "multi-NIC pod: rule from net1's address",
    when: "somebody asks net1's address from where the node has no way to",
    arrange: ({ node }) => execInNetns(node.name, "ip", "route", "delete", "default"),
    reach: ({ other }) => pingAddress(other.name, NET1, FAR),
    takeOut: ({ multi }) => inPod(multi, "ip", "rule", "delete", "from", NET1),
  },
  {
    line: "multi-NIC pod: net1's own gateway",
    when: "somebody asks net1's address from where the node has no way to",
    arrange: ({ node }) => execInNetns(node.name, "ip", "route", "delete", "default"),
    reach: ({ other }) => pingAddress(other.name, NET1, FAR),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", "default", "table", findTable(multi, NET1)),
  },
  {
    line: "multi-NIC pod: net1's own network",
    when: "the gateway sends nothing back to where it came from",
    arrange: ({ other }) => execInNetns(other.name, "sysctl", "-qw", "net.ipv4.ip_forward=0"),
    reach: ({ third }) => pingAddress(third.name, NET1),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", "10.7.0.0/16", "table", findTable(multi, NET1)),
  },
  {
    line: "multi-NIC pod: the node's other addresses by eth0, in net1's table",
    when: "the node masquerades by another of its addresses, as one does whose InternalIP is not on its first NIC",
    arrange: ({ node }) => {
      execInNetns(node.name, "ip", "address", "add", `${OTHER_NIC}/32`, "dev", "lo");
      execInNetns(node.name, "nft", "add table ip nat");
      execInNetns(node.name, "nft", "add chain ip nat post { type nat hook postrouting priority srcnat; }");
      execInNetns(node.name, "nft", `add rule ip nat post oifname "cali*" ip daddr ${NET1} snat to ${OTHER_NIC}`);
    },
    reach: ({ node }) => pingAddress(node.name, NET1),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", OTHER_NIC, "table", findTable(multi, NET1)),
  },
  {
    line: "multi-NIC pod: overlay networks by eth0, in net1's table",
    when: "nothing masquerades what overlay pods send (natOutgoing is off)",
    arrange: ({ node }) => execInNetns(node.name, "ip", "address", "add", "10.233.70.1/32", "dev", "lo"),
    reach: ({ node }) => pingAddress(node.name, NET1, "10.233.70.1"),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", "10.233.64.0/18", "table", findTable(multi, NET1)),
  },
  {
    line: "multi-NIC pod: Services by eth0, in net1's table",
    when: "a program asks a Service from net1's address",
    arrange: ({ node }) => execInNetns(node.name, "ip", "address", "add", "10.233.0.10/32", "dev", "lo"),
    reach: ({ multi }) => pingAddress(multi.namespace, "10.233.0.10", NET1),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", "10.233.0.0/18", "table", findTable(multi, NET1)),
  },
  {
    line: "a pod's NIC: accept_ra off",
    when: "somebody on the wire sends router advertisements",
    reach: ({ underlay, other }) => !takesAdvertisement(underlay, other),
    takeOut: ({ underlay }) => inPod(underlay, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1"),
  },
  {
    line: "a pod's NIC: autoconf off",
    when: "somebody in the pod turns accept_ra on, and a router advertises a prefix",
    arrange: ({ underlay }) => execInNetns(underlay.namespace, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1"),
    reach: ({ underlay, other }) => !takesAdvertisement(underlay, other, ADVERTISED_PREFIX),
    takeOut: ({ underlay }) => inPod(underlay, "sysctl", "-qw", "net.ipv6.conf.eth0.autoconf=1"),
  },
  {
    line: "multi-NIC pod: the overlay address's own way to the node",
    when: "the node has no default route and so answers no ARP for Calico's gateway",
    arrange: ({ node }) => execInNetns(node.name, "ip", "route", "delete", "default"),
    reach: ({ node }) => pingAddress(node.name, OVERLAY, node.address),
    takeOut: ({ multi, node }) =>
      inPod(multi, "ip", "route", "delete", `${node.address}/32`, "table", findTable(multi, OVERLAY)),
  },
  {
    line: "multi-NIC pod: overlay and Services by eth0",
    when: "net1 has the default route",
    arrange: ({ multi, node }) => {
      execInNetns(multi.namespace, "ip", "route", "replace", "default", "via", GATEWAY, "dev", "net1");
      execInNetns(node.name, "ip", "address", "add", "10.233.70.1/32", "dev", "lo");
    },
    reach: ({ multi }) => pingAddress(multi.namespace, "10.233.70.1"),
    takeOut: ({ multi }) => inPod(multi, "ip", "route", "delete", "10.233.64.0/18"),
  },
  {
    line: "underlay pod: the node pinned on veth0",
    when: "the node answers ARP only for addresses of the link that is asked",
    arrange: ({ node }) => ownAddressesOnly(node.name),
    reach: ({ underlay, node }) => pingAddress(underlay.namespace, node.address),
    takeOut: ({ underlay, node }) => inPod(underlay, "ip", "neighbour", "delete", node.address, "dev", "veth0"),
  },
  {
    line: "node: the underlay pod's address pinned on the pair",
    when: "the pod answers ARP only for addresses of the link that is asked",
    arrange: ({ underlay }) => ownAddressesOnly(underlay.namespace),
    reach: ({ node }) => pingAddress(node.name, UNDERLAY),
    takeOut: ({ node }) => onNode(node, "ip", "neighbour", "delete", UNDERLAY, "dev", findPair(node, UNDERLAY)),
  },
  {
    line: "node: net1's address pinned on Calico's pair",
    when: "the pod answers ARP only for addresses of the link that is asked",
    arrange: ({ multi }) => ownAddressesOnly(multi.namespace),
    reach: ({ node }) => pingAddress(node.name, NET1),
    takeOut: ({ node }) => onNode(node, "ip", "neighbour", "delete", NET1, "dev", findPair(node, NET1)),
  },
  {
    line: "multi-NIC pod: the node pinned on eth0",
    when: "the node answers ARP only for addresses of the link that is asked",
    arrange: ({ node }) => ownAddressesOnly(node.name),
    reach: ({ multi, node }) => pingAddress(multi.namespace, node.address),
    takeOut: ({ multi, node }) => inPod(multi, "ip", "neighbour", "delete", node.address, "dev", "eth0"),
  },
  {
    line: "underlay pod: src_valid_mark on veth0",
    when: "the pod's network namespace filters strictly by itself",
    arrange: filterStrictly,
    reach: ({ node }) => pingAddress(node.name, UNDERLAY, FAR_OF_NODE),
    takeOut: ({ underlay }) => inPod(underlay, "sysctl", "-qw", "net.ipv4.conf.veth0.src_valid_mark=0"),
  },
  {
    line: "underlay pod: fwmark_reflect, IPv4",
    when: "somebody behind the node, whose way back is not the wire, pings the pod",
    reach: ({ node }) => pingAddress(node.name, UNDERLAY, FAR_OF_NODE),
    takeOut: ({ underlay }) => inPod(underlay, "sysctl", "-qw", "net.ipv4.fwmark_reflect=0"),
  },
  {
    line: "underlay pod: fwmark_reflect, IPv6",
    when: "somebody behind the node, whose way back is not the wire, pings the pod",
    reach: ({ node }) => pingAddress(node.name, UNDERLAY6, FAR_OF_NODE6),
    takeOut: ({ underlay }) => inPod(underlay, "sysctl", "-qw", "net.ipv6.fwmark_reflect=0"),
  },
];
/** An address of the node that Kubernetes does not know. */
const OTHER_NIC = "192.168.0.5";
/** Behind the node. */
const FAR_OF_NODE = "192.0.2.1";
const FAR_OF_NODE6 = "2001:db8::1";

describe("lines that only some clusters miss", () => {
  const net = useTestNet("test");
  for (const { line, when, arrange, reach, takeOut } of NEEDED)
    it(`${line}: needed when ${when}`, () => {
      const world = cluster(net);
      arrange?.(world);
      assert.ok(reach(world), "no answer with every line there");
      execLocally(takeOut(world));
      assert.ok(!reach(world), `still an answer: ${line} is not needed`);
    });
});

/** Settings that the kernel reads when a link comes up; removing them later changes nothing. */
const BEFORE_UP = [
  { line: "the pair: DAD off", setting: "accept_dad", others: "1" },
  { line: "the pair: no router advertisements", setting: "accept_ra", others: "2" },
] as const;

describe("lines that count when the link comes up", () => {
  const net = useTestNet("test");
  for (const { line, setting, others } of BEFORE_UP)
    it(`${line}: ${setting} is 0 and the addresses are usable at once, where new links have ${others}`, () => {
      const node = net.node("n1", "10.7.168.71", {}, "fd00:10:7::71");
      const pod = net.pod("u");
      for (const namespace of [node.name, pod.namespace])
        execInNetns(namespace, "sysctl", "-qw", `net.ipv6.conf.default.${setting}=${others}`);
      const addresses = [{ address: `${UNDERLAY}/16`, gateway: GATEWAY }, { address: `${UNDERLAY6}/64` }];
      net.attachAll(node, pod, "eth0", addresses);
      for (const [namespace, link] of [
        [node.name, findPair(node, UNDERLAY)],
        [pod.namespace, "veth0"],
      ] as const) {
        assert.equal(execInNetns(namespace, "cat", `/proc/sys/net/ipv6/conf/${link}/${setting}`).trim(), "0", link);
        if (setting === "accept_dad")
          assert.ok(settlesBeforeDad(namespace, link), `${link} is still tentative: DAD is on`);
      }
    });
});

/** Without DAD too the kernel settles an address a moment later, in its own queue; with it after a second and more. */
function settlesBeforeDad(namespace: string, link: string): boolean {
  const until = Date.now() + 700;
  while (Date.now() < until)
    if (!execInNetns(namespace, "ip", "-6", "address", "show", "dev", link).includes("tentative")) return true;
  return false;
}

function cluster(net: TestNet): Fixture {
  const addresses = ["10.7.168.71", "fd00:10:7::71"].map(parseIp);
  const facts = { node: { name: "n1", addresses, otherAddresses: [parseIp(OTHER_NIC)] } };
  const node = net.node("n1", "10.7.168.71", facts, "fd00:10:7::71");
  const other = net.node("n2", GATEWAY);
  const third = net.node("n3", "10.7.168.73");
  execInNetns(other.name, "ip", "address", "add", `${FAR}/32`, "dev", "lo");
  execInNetns(node.name, "ip", "address", "add", `${FAR_OF_NODE}/32`, "dev", "lo");
  execInNetns(node.name, "ip", "address", "add", `${FAR_OF_NODE6}/128`, "dev", "lo");
  execInNetns(node.name, "ip", "route", "add", "default", "via", GATEWAY);
  const underlay = net.pod("u");
  const both = [{ address: `${UNDERLAY}/16`, gateway: GATEWAY }, { address: `${UNDERLAY6}/64` }];
  net.attachAll(node, underlay, "eth0", both);
  const multi = net.pod("m");
  net.overlay(node, multi, OVERLAY);
  net.attach(node, multi, "net1", `${NET1}/16`, GATEWAY);
  return { node, other, third, underlay, multi };
}

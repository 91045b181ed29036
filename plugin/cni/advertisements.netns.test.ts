import assert from "node:assert/strict";
import { execInNetns, pluginsFromEnvironment, TestNet, type TestNode, type TestPod } from "../testing/node.ts";

const GATEWAY = "10.7.168.72";
const PREFIX = "2001:db8:77:";

/** Sends one router advertisement to all hosts by eth0: a default route, and a prefix for SLAAC (RFC 4861, 4.2 and 4.6.2). */
const ADVERTISE = `
use Socket qw(:DEFAULT AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in6);
open(my $file, "<", "/sys/class/net/eth0/ifindex") or die; my $index = <$file>;
socket(my $socket, AF_INET6, SOCK_RAW, 58) or die "socket: $!";
setsockopt($socket, 41, 18, pack("i", 255)) or die "hops: $!";
setsockopt($socket, 41, 17, pack("i", $index)) or die "link: $!";
my $head = pack("CCnCCnNN", 134, 0, 0, 64, 0, 1800, 0, 0);
my $prefix = pack("CCCCNNN", 3, 4, 64, 0xc0, 3600, 1800, 0) . inet_pton(AF_INET6, "${PREFIX}:");
send($socket, $head . $prefix, 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::1"), $index)) or die "send: $!";
`;

describe("router advertisements on the wire", () => {
  let net: TestNet;
  let node: TestNode;
  let router: TestNode;

  beforeEach(() => {
    net = new TestNet(pluginsFromEnvironment());
    node = net.node("n1", "10.7.168.71", {}, "fd00:10:7::71");
    router = net.node("n2", GATEWAY, {}, "fd00:10:7::72");
  });
  afterEach(() => {
    net.close();
  });

  /** Sends advertisements for so long that a link that takes them has done so. */
  async function advertise(pod: TestPod, link: string): Promise<boolean> {
    for (let round = 0; round < 20; round++) {
      execInNetns(router.name, "perl", "-e", ADVERTISE);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (taken(pod, link) !== "") return true;
    }
    return false;
  }
  const taken = (pod: TestPod, link: string): string =>
    [
      ...execInNetns(pod.namespace, "ip", "-6", "-o", "address", "show", "dev", link).split("\n"),
      ...execInNetns(pod.namespace, "ip", "-6", "route", "show", "dev", link).split("\n"),
    ]
      .filter((line) => line.includes(PREFIX) || line.includes("proto ra"))
      .join("\n");

  for (const ifname of ["eth0", "net1"] as const)
    for (const [families, addresses] of [
      ["IPv4", [{ address: "10.7.200.1/16", gateway: GATEWAY }]],
      ["both families", [{ address: "10.7.200.1/16", gateway: GATEWAY }, { address: "fd00:10:7::200:1/64" }]],
    ] as const)
      it(`give ${ifname} with addresses of ${families} no address and no route, before or after it is wired`, async () => {
        const pod = net.pod("u");
        if (ifname !== "eth0") net.overlay(node, pod, "10.233.64.5");
        for (const name of ["accept_ra", "autoconf"])
          execInNetns(pod.namespace, "sysctl", "-qw", `net.ipv6.conf.default.${name}=1`);
        const prevResult = net.macvlan(node, pod, ifname, addresses);
        assert.ok(await advertise(pod, ifname), "no advertisement arrives: the test tells nothing");
        const { status, json } = net.call("interlay", "ADD", node, pod, ifname, { prevResult });
        assert.equal(status, 0, JSON.stringify(json));
        assert.equal(taken(pod, ifname), "", "what came before is kept");
        assert.ok(!(await advertise(pod, ifname)), `${ifname} took: ${taken(pod, ifname)}`);
        assert.equal(net.call("interlay", "CHECK", node, pod, ifname, {}).status, 0);
      });
});

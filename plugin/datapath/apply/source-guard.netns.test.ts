import assert from "node:assert/strict";
import { readPluginsFromEnvironment } from "../../testing/invocation.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { TestAgent } from "../../testing/test-agent.ts";
import { buildGuardTableName, buildNodeLinkName } from "../names.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const POD = "10.7.200.1";
const POD6 = "fd07::200:1";
const FURTHER = "10.7.200.2";
/** Addresses of the other node, which it does not route to the pod. */
const NODE = "10.7.168.71";
const NODE6 = "fd07::71";
const FORGED = "10.233.65.9";
const FORGED6 = "fd33:64:0:2::9";

describe("the guard of a pair", function () {
  this.timeout(60_000);
  const net = useTestNet("test");
  const node = net.useNode("n1", NODE, {}, NODE6);
  const pod = net.usePod("u");
  let guard: string;

  beforeEach(() => {
    execInNetns(node.name, "sysctl", "-qw", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=0");
    const addresses = [{ address: `${POD}/16` }, { address: `${POD6}/64` }];
    net.attachAll(node, pod, "eth0", addresses);
    guard = buildGuardTableName(buildNodeLinkName(pod.containerId, "eth0"));
    for (const [address, back] of [
      [`${FORGED}/32`, "10.7.0.1"],
      [`${FORGED6}/128`, "fd07::1"],
    ] as const) {
      execLocally(["ip", "-n", pod.namespace, "address", "add", address, "dev", "lo", "nodad"]);
      execLocally(["ip", "-n", node.name, "route", "add", address, "via", back, "dev", "eth0"]);
    }
  });

  const nft = (...argv: readonly string[]): string => execInNetns(node.name, "nft", ...argv);
  const countDrops = (): Readonly<Record<string, number>> =>
    Object.fromEntries(
      [...nft("list", "table", "netdev", guard).matchAll(/counter packets (\d+) .*comment "([^"]+)"/g)].map(
        ([, packets, rule = ""]) => [rule, Number(packets)],
      ),
    );
  /** The node counts echo requests that it accepted, whatever becomes of the answers. */
  const isAccepted = (source: string, target: string): boolean => {
    const rule = source.includes(":")
      ? `ip6 saddr ${source} icmpv6 type echo-request counter`
      : `ip saddr ${source} icmp type echo-request counter`;
    const table = `table inet seen { chain input { type filter hook input priority 0; ${rule}; }; }`;
    nft(table);
    try {
      pingAddress(pod.namespace, target, source);
      return !nft("list", "table", "inet", "seen").includes("packets 0 ");
    } finally {
      nft("delete", "table", "inet", "seen");
    }
  };

  it("lets the pod's own addresses pass, neighbour discovery included", () => {
    assert.ok(pingAddress(pod.namespace, NODE, POD));
    assert.ok(pingAddress(pod.namespace, NODE6, POD6));
    assert.ok(pingAddress(pod.namespace, "ff02::1%veth0"));
    assert.deepEqual(countDrops(), { "source-guard-ipv4": 0, "source-guard-ipv6": 0 });
  });

  for (const [family, source, target] of [
    ["ipv4", FORGED, NODE],
    ["ipv6", FORGED6, NODE6],
  ] as const)
    it(`drops and counts a forged ${family} source, which would pass without it`, () => {
      assert.ok(!isAccepted(source, target));
      assert.ok((countDrops()[`source-guard-${family}`] ?? 0) > 0);
      nft("delete", "table", "netdev", guard);
      assert.ok(isAccepted(source, target));
    });

  it("lets the address of a further NIC pass", () => {
    net.attachAll(node, pod, "net1", [{ address: `${FURTHER}/16` }]);
    assert.ok(pingAddress(pod.namespace, NODE, FURTHER));
  });

  it("is printed by nft as its docstrings say", () => {
    const listing = nft("list", "table", "netdev", guard);
    const rules = [...listing.matchAll(/^\t\t(.*) comment/gm)].map(([, rule]) => rule);
    assert.deepEqual(rules, [
      "ip6 saddr :: accept",
      "ip6 saddr fe80::/10 accept",
      "meta protocol ip fib saddr . iif oif missing counter packets 0 bytes 0 drop",
      "meta protocol ip6 fib saddr . iif oif missing counter packets 0 bytes 0 drop",
    ]);
  });

  it("is removed by DEL", () => {
    net.call("interlay", "DEL", node, pod, "eth0", {});
    assert.equal(nft("list", "tables").trim(), "");
  });

  it("is put back by the agent, which removes those whose link does not exist", async () => {
    nft("flush", "table", "netdev", guard);
    assert.match(
      String(net.tryCall("interlay", "CHECK", node, pod, "eth0", {}).json["msg"]),
      /lacks 1 of .* routed back/,
    );
    const stale = buildGuardTableName("vethil123456789");
    nft("add", "table", "netdev", stale);
    const agent = new TestAgent(node);
    await agent.start(readPluginsFromEnvironment().interlay);
    try {
      const isRepaired = () => Object.keys(countDrops()).length === 2 && !nft("list", "tables").includes(stale);
      for (let tries = 0; tries < 150 && !isRepaired(); tries++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(nft("list", "tables", "netdev").trim(), `table netdev ${guard}`);
      assert.ok(!isAccepted(FORGED, NODE));
    } finally {
      await agent.kill();
    }
  });
});

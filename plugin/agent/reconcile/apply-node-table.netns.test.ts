import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { parseCidr, parseIp } from "../../datapath/address.ts";
import type { ReturnPath } from "../../datapath/facts.ts";
import {
  type NodeTableInput,
  readRuleCounters,
  removeNodeTable,
  renderNodeTable,
} from "../../datapath/plan/node-table.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { findForwardDrop, listForwardRules } from "../kube-proxy/forward-chain.ts";
import { sendRequest, startTestServer } from "../../testing/traffic.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const PORT = 8080;
const OVERLAY_CIDRS = ["10.233.64.0/18", "fd33:64::/48"].map(parseCidr);
const TUNNEL = "vxlan.calico";
/** Services without a masquerade rule, as kube-proxy with an empty clusterCIDR, and its rule against INVALID packets. */
const KUBE_PROXY = `table ip kube-proxy-test {
  chain services {
    type nat hook prerouting priority dstnat;
    ip daddr 10.233.0.10 tcp dport 80 meta mark set meta mark | 0x4000 dnat to 10.233.65.2:${PORT}
    ip daddr 10.233.0.11 tcp dport 80 dnat to 10.7.200.2:${PORT}
    ip daddr 10.233.0.12 tcp dport 80 dnat to 10.7.200.3:${PORT}
    ip daddr 10.233.0.13 tcp dport 80 dnat to 10.233.64.5:${PORT}
    ip daddr 10.233.0.10 udp dport 80 dnat to 10.233.65.2:${PORT}
    ip daddr 10.7.168.71 tcp dport 30080 dnat to 10.7.200.1:${PORT}
    ip daddr 10.7.168.71 tcp dport 30081 meta mark set meta mark | 0x4000 dnat to 10.7.200.1:${PORT}
    ip daddr 10.7.168.71 tcp dport 30082 meta mark set meta mark | 0x2000 dnat to 10.7.200.1:${PORT}
  }
  chain forward {
    type filter hook forward priority filter;
    ct state invalid counter drop
  }
  chain leaving {
    type filter hook postrouting priority srcnat + 50;
    meta mark & 0x4000 != 0 counter comment "marked"
  }
}
`;

/** Two nodes with a tunnel between them; underlay pods .1 and .2 on the first, .3 on the second, an overlay pod on each. */
describe("the node's nftables table", function () {
  this.timeout(120_000);
  const net = useTestNet();
  const servers: ChildProcess[] = [];
  const one = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  const two = net.useNode("n2", "10.7.168.72", {}, "fd07::72");
  let pods: Readonly<Record<"first" | "second" | "other" | "overlay" | "local", string>>;

  before(async () => {
    execLocally([
      "ip",
      "link",
      "add",
      "name",
      TUNNEL,
      "netns",
      one.name,
      "type",
      "veth",
      "peer",
      "name",
      TUNNEL,
      "netns",
      two.name,
    ]);
    for (const [node, own, peer, peer6] of [
      [one, "10.233.64.0", "10.233.65", "fd33:64:0:2"],
      [two, "10.233.65.0", "10.233.64", "fd33:64:0:1"],
    ] as const) {
      const ip = (...argv: readonly string[]) => execLocally(["ip", "-n", node.name, ...argv]);
      // Proxy ARP answers only for what the node has a route to.
      ip("route", "add", "default", "via", "10.7.0.1", "dev", "eth0");
      ip("link", "set", TUNNEL, "up");
      ip("address", "add", `${own}/32`, "dev", TUNNEL);
      ip("route", "add", `${peer}.0/32`, "dev", TUNNEL);
      ip("route", "add", `${peer}.0/26`, "via", `${peer}.0`, "dev", TUNNEL, "onlink");
      ip("-6", "address", "add", `fe80::${node === one ? "1" : "2"}/64`, "dev", TUNNEL, "nodad");
      ip("-6", "route", "add", `${peer6}::/64`, "via", `fe80::${node === one ? "2" : "1"}`, "dev", TUNNEL);
      for (const link of ["all", "default", "eth0", TUNNEL])
        execInNetns(node.name, "sysctl", "-qw", `net/ipv4/conf/${link}/rp_filter=0`);
    }
    const [first, second, other, overlay, local] = ["u1", "u2", "u3", "o", "l"].map((name) => net.pod(name));
    assert.ok(first && second && other && overlay && local);
    net.overlay(two, overlay, "10.233.65.2", "fd33:64:0:2::2");
    // Another overlay's link names: nothing may depend on "cali".
    net.overlay(one, local, "10.233.64.5");
    const link = execLocally(["ip", "-n", one.name, "-o", "route", "get", "10.233.64.5"]).match(/dev (\S+)/)?.[1] ?? "";
    execLocally(["ip", "-n", one.name, "link", "set", link, "down"]);
    execLocally(["ip", "-n", one.name, "link", "set", link, "name", "lxc1"]);
    execLocally(["ip", "-n", one.name, "link", "set", "lxc1", "up"]);
    execInNetns(one.name, "sysctl", "-qw", "net.ipv4.conf.lxc1.proxy_arp=1", "net.ipv4.neigh.lxc1.proxy_delay=0");
    execLocally(["ip", "-n", one.name, "route", "add", "10.233.64.5/32", "dev", "lxc1"]);
    for (const [node, pod, number] of [
      [one, first, 1],
      [one, second, 2],
      [two, other, 3],
    ] as const)
      net.attachAll(node, pod, "eth0", [{ address: `10.7.200.${number}/16` }, { address: `fd07::200:${number}/64` }]);
    // A multi-NIC pod behind that overlay.
    net.attachAll(one, local, "net1", [{ address: "10.7.200.9/16" }]);
    pods = {
      first: first.namespace,
      second: second.namespace,
      other: other.namespace,
      overlay: overlay.namespace,
      local: local.namespace,
    };
    execLocally(["ip", "netns", "exec", one.name, "nft", "-f", "-"], KUBE_PROXY);
    servers.push(...(await Promise.all(Object.values(pods).map((pod) => startTestServer(pod, PORT)))));
  });

  net.useCleanup(() => {
    for (const server of servers) server.kill();
  });

  const load = (returnPath: ReturnPath, input: Partial<NodeTableInput> = {}): void => {
    write(
      renderNodeTable({
        overlayCidrs: OVERLAY_CIDRS,
        returnPath,
        uplink: "eth0",
        nodeLinks: ["eth0", TUNNEL],
        ...input,
      }),
    );
  };
  const write = (rules: string): void => {
    execLocally(["ip", "netns", "exec", one.name, "nft", "-f", "-"], rules);
  };
  const counters = () => readRuleCounters(execInNetns(one.name, "nft", "list", "table", "inet", "interlay"));

  it("lacks: without it, the INVALID rule stops TCP to another node's overlay pod, and Services get no answer", () => {
    write(removeNodeTable());
    assert.equal(sendRequest(pods.first, "10.233.65.2", PORT), undefined);
    assert.equal(sendRequest(pods.first, "10.233.0.10", 80), undefined);
    assert.equal(sendRequest(pods.first, "10.233.0.10", 80, { protocol: "udp" }), undefined);
    assert.equal(sendRequest(pods.first, "10.233.64.5", PORT), "10.7.200.1");
    assert.equal(sendRequest(pods.overlay, "10.7.200.9", PORT), undefined);
  });

  it("clears kube-proxy's mark for masquerade, which a tunnel's outer packet would keep", () => {
    const countMarked = () => {
      const listing = execInNetns(one.name, "nft", "list", "table", "ip", "kube-proxy-test");
      return Number(/counter packets (\d+) bytes \d+ comment "marked"/.exec(listing)?.[1]);
    };
    load("notrack");
    const before = countMarked();
    assert.equal(sendRequest(pods.first, "10.233.0.10", 80), "10.233.64.0");
    assert.equal(countMarked(), before);
  });

  it("does not exempt anything with the return path none", () => {
    load("none");
    assert.equal(sendRequest(pods.first, "10.233.65.2", PORT), undefined);
    assert.equal(sendRequest(pods.first, "10.233.0.10", 80), "10.233.64.0");
  });

  for (const returnPath of ["notrack", "snat"] as const)
    describe(returnPath, () => {
      before(() => {
        load(returnPath);
      });
      it("answers an overlay pod of another node that asks a further NIC with its own address", () => {
        assert.equal(sendRequest(pods.overlay, "10.7.200.9", PORT), "10.233.65.2");
        assert.ok((counters().get("exempt-further-nic-ipv4") ?? 0) > 0);
      });
      const seen = returnPath === "snat" ? "10.233.64.0" : "10.7.200.1";
      const ROWS: readonly (readonly [
        title: string,
        source: "first" | "overlay",
        host: string,
        port: number,
        protocol: "tcp" | "udp",
        expected: string,
      ])[] = [
        ["TCP to an overlay pod of another node", "first", "10.233.65.2", PORT, "tcp", seen],
        ["UDP to an overlay pod of another node", "first", "10.233.65.2", PORT, "udp", seen],
        ["IPv6 to an overlay pod of another node", "first", "fd33:64:0:2::2", PORT, "tcp", ""],
        [
          "TCP to an overlay pod of its node behind a link with any name",
          "first",
          "10.233.64.5",
          PORT,
          "tcp",
          "10.7.200.1",
        ],
        [
          "a NodePort whose endpoint is behind a pair, source kept",
          "overlay",
          "10.7.168.71",
          30080,
          "tcp",
          "10.233.65.2",
        ],
        ["a Service with an overlay endpoint on another node", "first", "10.233.0.10", 80, "tcp", "10.233.64.0"],
        ["a Service with an overlay endpoint on another node, UDP", "first", "10.233.0.10", 80, "udp", "10.233.64.0"],
        ["a Service with an overlay endpoint on its node", "first", "10.233.0.13", 80, "tcp", ""],
        [
          "a Service with an underlay endpoint on its node, source kept",
          "first",
          "10.233.0.11",
          80,
          "tcp",
          "10.7.200.1",
        ],
        ["a Service with an underlay endpoint on another node", "first", "10.233.0.12", 80, "tcp", "10.7.168.71"],
      ];
      for (const [title, source, host, port, protocol, expected] of ROWS)
        it(`answers ${title}`, () => {
          const answer = sendRequest(pods[source], host, port, { protocol });
          assert.ok(answer !== undefined, "no answer");
          if (expected !== "") assert.equal(answer, expected);
        });
    });

  describe("on a node with several addresses", () => {
    const node = () => one.name;
    /** Masquerade of the overlay's agent (natOutgoing), of kube-proxy and of portmap (their marks), as their own rules do it. */
    const MASQUERADE = `table ip masquerade-test {
  chain leaving {
    type nat hook postrouting priority srcnat;
    meta mark & 0x6000 != 0 masquerade
    ip saddr 10.233.64.0/18 ip daddr != 10.233.64.0/18 masquerade
  }
}
`;
    before(() => {
      // The kernel takes the first link's address for a link that has none.
      execLocally(["ip", "-n", node(), "address", "add", "192.168.0.5/32", "dev", "lo"]);
      write(MASQUERADE);
    });
    after(() => {
      execLocally(["ip", "-n", node(), "address", "del", "192.168.0.5/32", "dev", "lo"]);
      write("delete table ip masquerade-test\n");
    });

    const ROWS: readonly (readonly [title: string, ask: () => string | undefined])[] = [
      ["a Service's overlay endpoint on this node", () => sendRequest(pods.first, "10.233.0.13", 80)],
      [
        "an underlay pod that an overlay pod of this node asks",
        () => sendRequest(pods.local, "10.7.200.1", PORT, { source: "10.233.64.5" }),
      ],
      ["a NodePort's underlay endpoint on this node", () => sendRequest(pods.overlay, "10.7.168.71", 30081)],
      ["an underlay pod by its host port", () => sendRequest(pods.overlay, "10.7.168.71", 30082)],
    ];
    for (const [title, ask] of ROWS)
      it(`shows its InternalIP to ${title}`, () => {
        load("notrack");
        assert.equal(ask(), "192.168.0.5", "without the rule");
        load("notrack", {
          nodeAddresses: [parseIp("10.7.168.71")],
          masqueradedCidrs: [parseCidr("10.233.64.0/18")],
        });
        assert.equal(ask(), "10.7.168.71");
      });

    it("keeps the address of an overlay pod that the overlay does not masquerade", () => {
      write("flush table ip masquerade-test\n");
      load("notrack", { nodeAddresses: [parseIp("10.7.168.71")] });
      assert.equal(sendRequest(pods.local, "10.7.200.1", PORT, { source: "10.233.64.5" }), "10.233.64.5");
    });
  });

  it("follows a change of the return path for new connections", () => {
    load("snat");
    assert.equal(sendRequest(pods.first, "10.233.65.2", PORT), "10.233.64.0");
    assert.ok((counters().get("masquerade-overlay-ipv4") ?? 0) > 0);
    load("notrack");
    assert.equal(sendRequest(pods.first, "10.233.65.2", PORT), "10.7.200.1");
    assert.ok((counters().get("exempt-ipv4") ?? 0) > 0);
  });

  for (const loose of [1, 0])
    it(`keeps a connection that is idle for longer than conntrack remembers it, nf_conntrack_tcp_loose=${loose}`, () => {
      load("notrack");
      const sysctl = (...settings: readonly string[]) => execInNetns(one.name, "sysctl", "-qw", ...settings);
      const prefix = "net.netfilter.nf_conntrack_tcp_";
      sysctl(`${prefix}loose=${loose}`, `${prefix}timeout_syn_sent=1`, `${prefix}timeout_established=2`);
      try {
        assert.equal(sendRequest(pods.first, "10.233.65.2", PORT, { idleMs: 3500 }), "10.7.200.1");
      } finally {
        sysctl(`${prefix}loose=1`, `${prefix}timeout_syn_sent=120`, `${prefix}timeout_established=432000`);
      }
    });

  it("costs one conntrack entry for each connection to another node's overlay pod", () => {
    load("notrack");
    const count = () => Number(execInNetns(one.name, "sysctl", "-n", "net.netfilter.nf_conntrack_count"));
    const initial = count();
    for (let number = 0; number < 5; number++) assert.equal(sendRequest(pods.first, "10.233.65.2", PORT), "10.7.200.1");
    assert.ok(count() - initial <= 5, `${count() - initial} entries for 5 connections`);
  });

  it("answers a datagram of IPv6 that is longer than the tunnel's MTU", () => {
    load("notrack");
    const setMtu = (mtu: number) => {
      for (const node of [one, two]) execLocally(["ip", "-n", node.name, "link", "set", TUNNEL, "mtu", String(mtu)]);
    };
    setMtu(1400);
    try {
      assert.ok(sendRequest(pods.first, "fd33:64:0:2::2", PORT, { protocol: "udp", bytes: 4000 }));
    } finally {
      setMtu(1500);
    }
  });

  it("answers a connection while FORWARD has the policy DROP", () => {
    load("notrack");
    const iptables = (...argv: readonly string[]) => execInNetns(one.name, "iptables", ...argv);
    const networks = { overlayCidrs: OVERLAY_CIDRS, hijackCidrs: [], viaNode: [] };
    const ASKED = [
      ["10.233.65.2", PORT],
      ["10.233.0.10", 80],
      ["10.233.0.11", 80],
      ["10.233.0.12", 80],
    ] as const;
    iptables("-P", "FORWARD", "DROP");
    try {
      for (const [host, port] of ASKED) assert.equal(sendRequest(pods.first, host, port), undefined, `${host} before`);
      const rules = listForwardRules("iptables", networks);
      for (const rule of rules) iptables("-A", "FORWARD", ...rule);
      const saved = execInNetns(one.name, "iptables-save", "-t", "filter");
      assert.ok(!findForwardDrop("iptables", saved, networks), saved);
      for (const [host, port] of ASKED) assert.ok(sendRequest(pods.first, host, port) !== undefined, `${host} after`);
      // With its overlay address, for by net1 the pod needs no node.
      const askFromOverlay = () => sendRequest(pods.local, "10.7.200.1", PORT, { source: "10.233.64.5" });
      assert.equal(askFromOverlay(), "10.233.64.5", "overlay pod of this node to an underlay pod");
      // Without the rules for known connections, a Service's request or its answer is dropped.
      for (const known of rules.filter((rule) => rule.includes("conntrack"))) {
        iptables("-D", "FORWARD", ...known);
        assert.equal(sendRequest(pods.first, "10.233.0.12", 80), undefined, known.join(" "));
        iptables("-A", "FORWARD", ...known);
      }
      // Without the rules for overlay networks, a new connection to the underlay pod is dropped. Calico accepts it by itself.
      const fromOverlay = rules.filter((rule) => rule.includes("-s"));
      for (const rule of fromOverlay) iptables("-D", "FORWARD", ...rule);
      assert.equal(askFromOverlay(), undefined, "without the rules from overlay networks");
      for (const rule of fromOverlay) iptables("-A", "FORWARD", ...rule);
      // A network that no plan routes stays closed.
      execLocally(["ip", "-n", pods.first, "route", "add", "198.51.100.0/24", "via", "10.7.168.71", "dev", "veth0"]);
      execLocally(["ip", "-n", one.name, "route", "add", "198.51.100.0/24", "via", "10.7.168.72", "dev", "eth0"]);
      execLocally(["ip", "-n", two.name, "address", "add", "198.51.100.9/32", "dev", "lo"]);
      const reached = () => pingAddress(pods.first, "198.51.100.9", "10.7.200.1");
      assert.ok(!reached(), "forwarded to a network that no plan routes");
      iptables("-P", "FORWARD", "ACCEPT");
      assert.ok(reached(), "the way that FORWARD closes");
    } finally {
      iptables("-P", "FORWARD", "ACCEPT");
      iptables("-F", "FORWARD");
    }
  });
});

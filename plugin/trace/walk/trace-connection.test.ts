import assert from "node:assert/strict";
import type { NamespaceText } from "../../testing/trace-namespace.ts";
import { buildCluster, type ClusterChange } from "../../testing/trace-topology.ts";
import type { Trace, TraceRequest } from "../trace.ts";
import { buildTraceModel } from "./build-trace-model.ts";
import { traceConnection } from "./trace-connection.ts";

function trace(
  source: string,
  destination: string,
  change: ClusterChange = {},
  more: Partial<TraceRequest> = {},
): Trace {
  const model = buildTraceModel(buildCluster(change));
  return traceConnection(model, { source, destination, protocol: "tcp", port: 80, ...more });
}

/** `pass`, or the verdict, the kind of failure, the namespace and the packet. */
function summarize({ paths }: Trace): string {
  return paths
    .map(({ failure, packets }) =>
      failure === undefined
        ? "pass"
        : `${failure.verdict} ${failure.kind} in ${failure.namespace} (${packets.at(-1)?.name ?? ""})`,
    )
    .join(", ");
}

/** Namespaces and links that a packet of the only path passes. */
function listHops({ paths }: Trace, index: number): readonly string[] {
  return (paths[0]?.packets[index]?.hops ?? []).map(({ namespace, inLink, outLink }) =>
    `${inLink ?? ""} ${namespace.name} ${outLink ?? ""}`.trim(),
  );
}

/** Wraps iptables rules of the table filter. */
const filter = (...rules: readonly string[]): string =>
  ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules, "COMMIT", ""].join(
    "\n",
  );
const raw = (...rules: readonly string[]): string =>
  ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
const nat = (...rules: readonly string[]): string =>
  [
    "*nat",
    ":PREROUTING ACCEPT [0:0]",
    ":INPUT ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":POSTROUTING ACCEPT [0:0]",
    ...rules,
    "COMMIT",
    "",
  ].join("\n");

describe("trace of a connection", () => {
  it("follows request and reply between pods of one node", () => {
    const result = trace("pod-1", "10.244.1.3");
    assert.equal(summarize(result), "pass");
    assert.deepEqual(listHops(result, 0), ["pod-1 eth0", "veth-pod-1 node-1 veth-twin-1", "eth0 twin-1"]);
    assert.deepEqual(listHops(result, 1), ["twin-1 eth0", "veth-twin-1 node-1 veth-pod-1", "eth0 pod-1"]);
    assert.deepEqual(
      result.paths[0]?.packets.map(({ name }) => name),
      ["SYN", "SYN-ACK", "ACK", "request", "reply"],
    );
  });

  it("follows a packet through a VXLAN tunnel, with the outer packet's addresses", () => {
    const result = trace("pod-1", "10.244.2.2");
    assert.equal(summarize(result), "pass");
    assert.deepEqual(listHops(result, 0), [
      "pod-1 eth0",
      "veth-pod-1 node-1 vxlan0",
      "node-1 eth0",
      "eth0 node-2",
      "vxlan0 node-2 veth-pod-2",
      "eth0 pod-2",
    ]);
    const outer = result.paths[0]?.packets[0]?.hops[2]?.outer;
    assert.deepEqual([outer?.source, outer?.destination, outer?.destinationPort], ["10.0.0.1", "10.0.0.2", 4789]);
  });

  const topologies: readonly (readonly [string, readonly [string, string], ClusterChange, string])[] = [
    ["passes between macvlan siblings", ["mac-1", "10.0.0.12"], {}, "pass"],
    ["passes between macvlan pods of two nodes", ["mac-1", "10.0.0.21"], {}, "pass"],
    ["passes from a macvlan pod to the other node", ["mac-1", "10.0.0.2"], {}, "pass"],
    ["fails from a macvlan pod to its parent", ["mac-1", "10.0.0.1"], {}, "drop no-neighbour in mac-1 (SYN)"],
    [
      "fails between private macvlan siblings",
      ["mac-1", "10.0.0.12"],
      {
        "mac-1": {
          links: {
            eth0: {
              kind: "macvlan",
              macvlanMode: "private",
              mac: "02:00:00:00:00:01",
              parent: { namespace: "node-1", link: "eth0" },
            },
          },
        },
      },
      "drop no-neighbour in mac-1 (SYN)",
    ],
    ["leaves the snapshot by the default route", ["mac-1", "192.0.2.1"], {}, "unknown outside in mac-1 (SYN)"],
    [
      "fails at a gateway that did not answer",
      ["mac-1", "192.0.2.1"],
      { "mac-1": { neighbours: ["10.0.0.254 eth0 02:00:00:00:00:09 FAILED"] } },
      "drop no-neighbour in mac-1 (SYN)",
    ],
    [
      "fails at a pinned MAC address of nobody",
      ["pod-1", "10.244.1.3"],
      { "node-1": { neighbours: ["10.244.1.3 veth-twin-1 02:00:00:00:00:09 PERMANENT"] } },
      "drop wrong-neighbour in node-1 (SYN)",
    ],
    [
      "fails at a pinned MAC address that a known pod does not have",
      ["mac-1", "10.0.0.21"],
      { "mac-1": { neighbours: ["10.0.0.21 eth0 02:00:00:00:00:09 PERMANENT"] } },
      "drop wrong-neighbour in mac-1 (SYN)",
    ],
    [
      "does not guess what a host outside the snapshot does that has answered for a known pod's address",
      ["mac-1", "10.0.0.21"],
      { "mac-1": { neighbours: ["10.0.0.21 eth0 02:00:00:00:00:09 STALE"] } },
      "unknown outside in mac-1 (SYN)",
    ],
    [
      "fails without an fdb entry",
      ["pod-1", "10.244.2.2"],
      { "node-1": { more: { fdb: [] } } },
      "drop no-tunnel-entry in node-1 (SYN)",
    ],
    [
      "fails without the tunnel's neighbour entry on the way back",
      ["pod-1", "10.244.2.2"],
      { "node-2": { neighbours: [] } },
      "drop no-tunnel-entry in node-2 (SYN-ACK)",
    ],
    [
      "fails if the tunnel's other end has another VNI",
      ["pod-1", "10.244.2.2"],
      {
        "node-2": { links: { vxlan0: { kind: "vxlan", vxlan: { id: 1, port: 4789, learning: false, proxy: false } } } },
      },
      "drop no-tunnel-entry in node-2 (SYN)",
    ],
    [
      "fails if a node does not forward",
      ["pod-1", "10.244.2.2"],
      { "node-2": { sysctls: { "net/ipv4/ip_forward": "0" } } },
      "drop forwarding-off in node-2 (SYN)",
    ],
    [
      "fails at a blackhole route of the reply",
      ["pod-1", "10.244.1.3"],
      { "twin-1": { routes: ["blackhole 10.244.1.2/32"] } },
      "drop reject-route in twin-1 (SYN-ACK)",
    ],
    [
      "fails in a loop between nodes",
      ["pod-1", "10.99.0.1"],
      {
        "node-1": { routes: ["10.99.0.0/24 via 10.0.0.2 dev eth0"] },
        "node-2": { routes: ["10.99.0.0/24 via 10.0.0.1 dev eth0"] },
      },
      "reject ttl in node-2 (SYN)",
    ],
    [
      "is rejected where nothing listens",
      ["pod-1", "10.244.1.3"],
      { "twin-1": { more: { listeners: [] } } },
      "reject no-listener in twin-1 (SYN)",
    ],
    [
      "fails on a link that is down",
      ["pod-1", "10.244.1.3"],
      { "pod-1": { links: { eth0: { kind: "veth", up: false } } } },
      "drop link-down in pod-1 (SYN)",
    ],
    [
      "does not guess what an eBPF program does",
      ["pod-1", "10.244.1.3"],
      {
        "pod-1": {
          links: { eth0: { kind: "veth", programs: ["tc egress"], peer: { namespace: "node-1", link: "veth-pod-1" } } },
        },
      },
      "unknown not-modelled in pod-1 (SYN)",
    ],
  ];
  for (const [title, [source, destination], change, expected] of topologies)
    it(title, () => {
      assert.equal(summarize(trace(source, destination, change)), expected);
    });

  describe("whose replies do not pass a node", () => {
    const detour: ClusterChange = { "mac-2": { routes: ["10.0.0.22/32 via 10.0.0.1 dev eth0"] } };
    const drops = filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP");
    const cases: readonly (readonly [string, Partial<NamespaceText>, string])[] = [
      ["passes if the node does not drop INVALID packets", {}, "pass"],
      [
        "fails at the ACK, which the node calls INVALID",
        { more: { iptables: drops } },
        "drop invalid-state in node-1 (ACK)",
      ],
      [
        "fails with nf_conntrack_tcp_be_liberal, too",
        { more: { iptables: drops }, sysctls: { "net/netfilter/nf_conntrack_tcp_be_liberal": "1" } },
        "drop invalid-state in node-1 (ACK)",
      ],
      [
        "passes if the node does not track it",
        { more: { iptables: `${raw("-A PREROUTING -d 10.0.0.22/32 -j CT --notrack")}${drops}` } },
        "pass",
      ],
    ];
    for (const [title, node, expected] of cases)
      it(title, () => {
        assert.equal(summarize(trace("mac-2", "10.0.0.22", { ...detour, "node-1": node })), expected);
      });

    it("passes for UDP", () => {
      const change = { ...detour, "node-1": { more: { iptables: drops } } };
      assert.equal(summarize(trace("mac-2", "10.0.0.22", change, { protocol: "udp" })), "pass");
    });
  });
});

describe("translation in a trace", () => {
  const SERVICE = "10.96.0.1";
  const service = (...rules: readonly string[]): ClusterChange => ({ "node-1": { more: { iptables: nat(...rules) } } });

  it("returns the reply through the node that translated", () => {
    const result = trace(
      "pod-1",
      SERVICE,
      service(`-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination 10.244.2.2:8080`),
    );
    assert.equal(summarize(result), "pass");
    const { server, seenSource } = result.paths[0] ?? {};
    assert.deepEqual([server, seenSource], [{ namespace: "pod-2", address: "10.244.2.2", port: 8080 }, "10.244.1.2"]);
  });

  it("loses a request to a ClusterIP that no rule translates, and does not decide about another address outside", () => {
    assert.equal(trace("pod-1", SERVICE).verdict, "unknown");
    const result = trace("pod-1", SERVICE, {}, { service: "default/web" });
    assert.equal(summarize(result), "drop no-translation in node-1 (SYN)");
  });

  it("masquerades with the address of the outgoing link", () => {
    const result = trace("pod-1", "10.0.0.21", service("-A POSTROUTING -s 10.244.0.0/16 -o eth0 -j MASQUERADE"));
    assert.deepEqual([summarize(result), result.paths[0]?.seenSource], ["pass", "10.0.0.1"]);
  });

  it("passes at random if a rule drops replies to some of the ports that a masquerade chooses", () => {
    const raw = [
      "*raw",
      ":PREROUTING ACCEPT [0:0]",
      "-A PREROUTING -i eth0 -p tcp -m tcp --dport 1:65000 -j DROP",
      "COMMIT",
      "",
    ];
    const traceWith = (target: string) =>
      trace("pod-1", "10.0.0.21", {
        "node-1": {
          more: { iptables: `${raw.join("\n")}${nat(`-A POSTROUTING -s 10.244.0.0/16 -o eth0 -j ${target}`)}` },
        },
      });
    const verdicts = (target: string) => [...new Set(traceWith(target).paths.map(({ verdict }) => verdict))].sort();
    assert.deepEqual(verdicts("MASQUERADE"), ["drop"]);
    assert.deepEqual(verdicts("MASQUERADE --random-fully"), ["drop", "pass"]);
  });

  it("keeps the connection of a packet that its bridge showed to iptables", () => {
    const dropInvalid = filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP");
    const translate = nat(`-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination 10.244.2.2:80`);
    const result = trace("pod-1", SERVICE, {
      "node-1": {
        links: {
          cni0: { kind: "bridge" },
          "veth-pod-1": { kind: "veth", master: "cni0", peer: { namespace: "pod-1", link: "eth0" } },
        },
        sysctls: { "net/bridge/bridge-nf-call-iptables": "1", "net/ipv4/conf/cni0/proxy_arp": "1" },
        more: { iptables: `${translate}${dropInvalid}` },
      },
    });
    assert.equal(summarize(result), "pass");
    assert.deepEqual(listHops(result, 2).slice(0, 3), ["pod-1 eth0", "veth-pod-1 node-1", "cni0 node-1 vxlan0"]);
  });

  it("fails if the answer goes to an address that nobody has", () => {
    const result = trace(
      "pod-1",
      "10.0.0.21",
      service("-A POSTROUTING -s 10.244.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.7"),
    );
    assert.equal(summarize(result), "drop wrong-reply in mac-2 (SYN-ACK)");
  });

  it("follows every endpoint of a Service with its share", () => {
    const change: ClusterChange = {
      ...service(
        `-A PREROUTING -d ${SERVICE}/32 -p tcp -m statistic --mode random --probability 0.25000000000 -j DNAT --to-destination 10.244.2.2:80`,
        `-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination 10.244.1.9:80`,
      ),
    };
    const result = trace("pod-1", SERVICE, change);
    const shares = result.paths.map(({ probability, verdict }) => [probability, verdict]);
    assert.deepEqual(shares.sort(), [
      [0.25, "pass"],
      [0.75, "unknown"],
    ]);
    assert.equal(result.verdict, "unknown");
  });

  it("fails if the reply does not pass the node that translated", () => {
    const result = trace("mac-2", SERVICE, {
      ...service(`-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination 10.0.0.12:80`),
      "mac-2": { routes: [`${SERVICE}/32 via 10.0.0.1 dev eth0`] },
    });
    assert.equal(summarize(result), "drop no-neighbour in node-1 (SYN)");
    const far = trace("mac-1", SERVICE, {
      "node-2": {
        more: { iptables: nat(`-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination 10.0.0.12:80`) },
      },
      "mac-1": { routes: [`${SERVICE}/32 via 10.0.0.2 dev eth0`] },
    });
    assert.equal(summarize(far), "drop wrong-reply in mac-1 (SYN-ACK)");
  });

  const ingressChain = (dev: string, policy: "accept" | "drop") => ({
    chain: { family: "netdev", table: "guard", name: "in", type: "filter", hook: "ingress", dev, prio: 0, policy },
  });

  it("fails between macvlan siblings at an ingress chain of their parent", () => {
    const { paths } = trace("mac-1", "10.0.0.12", { "node-1": { more: { nftables: [ingressChain("eth0", "drop")] } } });
    assert.deepEqual([paths[0]?.failure?.verdict, paths[0]?.failure?.hook], ["drop", "ingress"]);
  });

  it("lists the rules of an ingress hook with the namespace that the frame enters", () => {
    const nftables = [
      ingressChain("veth-twin-1", "accept"),
      {
        rule: {
          family: "netdev",
          table: "guard",
          chain: "in",
          handle: 1,
          expr: [{ mangle: { key: { meta: { key: "mark" } }, value: 4 } }],
        },
      },
    ];
    const [, reply] = trace("pod-1", "10.244.1.3", { "node-1": { more: { nftables } } }).paths[0]?.packets ?? [];
    const hops = reply?.hops.map(({ namespace, outLink, events }) => [
      namespace.name,
      outLink,
      events.some((event) => event.kind === "rule" && event.hook === "ingress"),
    ]);
    assert.deepEqual(hops, [
      ["twin-1", "eth0", false],
      ["node-1", "veth-pod-1", true],
      ["pod-1", undefined, false],
    ]);
  });

  it("reports the rule that rejects, and its hook", () => {
    const { paths } = trace("pod-1", "10.244.1.3", {
      "node-1": {
        more: { iptables: filter("-A FORWARD -d 10.244.1.3/32 -j REJECT --reject-with icmp-port-unreachable") },
      },
    });
    const failure = paths[0]?.failure;
    assert.deepEqual(
      [failure?.verdict, failure?.kind, failure?.hook, failure?.rule?.chain],
      ["reject", "rule", "forward", "FORWARD"],
    );
  });
});

describe("long packets in a trace", () => {
  const bytes = 20_000;
  it("pass a tunnel in segments that its MTU allows", () => {
    assert.equal(summarize(trace("pod-1", "10.244.2.2", {}, { bytes })), "pass");
  });

  it("long packets in a trace are fragmented again on the way in IPv4", () => {
    const big: ClusterChange = {
      "mac-2": { routes: ["10.244.1.0/24 via 10.0.0.1 dev eth0"] },
    };
    const result = trace("mac-2", "10.244.1.2", big, { bytes, protocol: "udp" });
    assert.equal(summarize(result), "drop mtu in pod-1 (request)");
    const fitting: ClusterChange = {
      ...big,
      "node-1": { links: { "veth-pod-1": { kind: "veth", mtu: 1450, peer: { namespace: "pod-1", link: "eth0" } } } },
    };
    assert.equal(summarize(trace("mac-2", "10.244.1.2", fitting, { bytes, protocol: "udp" })), "pass");
  });

  it("pass a smaller MTU on the way by path MTU discovery", () => {
    const small = {
      "node-2": { links: { "veth-pod-2": { kind: "veth", mtu: 1280, peer: { namespace: "pod-2", link: "eth0" } } } },
    };
    assert.equal(summarize(trace("pod-1", "10.244.2.2", small, { bytes })), "pass");
  });

  it("long packets in a trace are lost where a link drops them without an ICMP error", () => {
    // The pod's end is smaller than the node's, and the pod announces the size that its route has.
    const small: ClusterChange = {
      "pod-2": { links: { eth0: { kind: "veth", mtu: 1280, peer: { namespace: "node-2", link: "veth-pod-2" } } } },
    };
    assert.equal(
      summarize(trace("pod-1", "10.244.2.2", small, { bytes, protocol: "udp" })),
      "drop mtu in pod-2 (request)",
    );
    assert.equal(summarize(trace("pod-1", "10.244.2.2", small, { bytes })), "pass");
  });
});

describe("trace of a socket that asks first", () => {
  it("reaches a client that answers no ARP request, because its own request made it known", () => {
    const silent = { "node-1": { sysctls: { "net/ipv4/conf/all/arp_ignore": "8" } } };
    assert.equal(summarize(trace("node-1", "10.0.0.2", silent)), "pass");
    assert.equal(summarize(trace("node-2", "10.0.0.1", silent)), "drop no-neighbour in node-2 (SYN)");
  });

  it("loses a ping if a rule for UDP rejects the socket by which ping learns its address", () => {
    const rule = { priority: 11, action: "unreachable", family: "ipv4", ipProtocol: "udp", to: "10.0.0.2/32" } as const;
    const ruled = buildCluster();
    const namespaces = ruled.namespaces.map((one) =>
      one.id === "node-1" ? { ...one, rules: [...one.rules, { ...rule, not: false, unknown: [] }] } : one,
    );
    const model = buildTraceModel({ ...ruled, namespaces });
    const ask = (protocol: "icmp" | "tcp") =>
      summarize(traceConnection(model, { source: "node-1", destination: "10.0.0.2", protocol, port: 80 }));
    assert.deepEqual([ask("icmp"), ask("tcp")], ["reject reject-route in node-1 (request)", "pass"]);
  });

  it("reaches either of two hosts with the same address, and the same one with every packet", () => {
    const twice = { "mac-2": { addresses: ["10.0.0.21/24 eth0", "10.0.0.22/24 eth0"] } };
    const { paths } = trace("node-1", "10.0.0.22", twice);
    assert.deepEqual(
      paths.map(({ probability, verdict, server }) => [probability, verdict, server?.namespace]),
      [
        [0.5, "pass", "mac-2"],
        [0.5, "pass", "peer-2"],
      ],
    );
  });
});

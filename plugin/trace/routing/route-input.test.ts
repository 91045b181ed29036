import assert from "node:assert/strict";
import { buildNamespace, type NamespaceText } from "../../testing/trace-namespace.ts";
import { compileNamespace } from "./namespace-state.ts";
import { answersArp, answersNdp, routeInput } from "./route-input.ts";

const NODE: NamespaceText = {
  id: "node",
  links: { eth0: {}, eth1: {}, cali1: {} },
  addresses: ["10.0.0.1/24 eth0", "10.1.0.1/24 eth1", "fd00::1/64 eth0"],
  routes: [
    "0.0.0.0/0 via 10.0.0.254 dev eth0",
    "10.5.0.2/32 dev cali1",
    "blackhole 10.5.0.0/24",
    "unreachable 10.6.0.0/24",
  ],
  sysctls: {
    "net/ipv4/conf/eth0/forwarding": "1",
    "net/ipv4/conf/eth1/forwarding": "1",
    "net/ipv4/conf/cali1/forwarding": "1",
  },
};

function route(
  { from = "10.0.0.9", to, link = "eth0" }: { readonly from?: string; readonly to: string; readonly link?: string },
  change: Partial<NamespaceText> = {},
): string {
  const state = compileNamespace(
    buildNamespace({ ...NODE, ...change, sysctls: { ...NODE.sysctls, ...change.sysctls } }),
  );
  const family = to.includes(":") ? "ipv6" : "ipv4";
  const packet = {
    family,
    source: from,
    destination: to,
    mark: 0,
    protocol: "tcp",
    sourcePort: 1,
    destinationPort: 2,
  } as const;
  const result = routeInput(state, packet, link);
  return result.kind === "refuse" ? `${result.verdict} ${result.failure}` : result.kind;
}

describe("route of a received packet", () => {
  const strict = { sysctls: { "net/ipv4/conf/all/rp_filter": "1" } };
  const loose = { sysctls: { "net/ipv4/conf/all/rp_filter": "2" } };
  const cases: readonly (readonly [string, Parameters<typeof route>[0], Partial<NamespaceText>, string])[] = [
    ["delivers to an address of another link", { to: "10.1.0.1" }, {}, "deliver"],
    ["forwards to a pod", { to: "10.5.0.2" }, {}, "forward"],
    ["drops silently at a blackhole route", { to: "10.5.0.3" }, {}, "drop reject-route"],
    ["answers with ICMP at an unreachable route", { to: "10.6.0.3" }, {}, "reject reject-route"],
    [
      "drops if the incoming link does not forward",
      { to: "10.5.0.2" },
      { sysctls: { "net/ipv4/conf/eth0/forwarding": "0" } },
      "drop forwarding-off",
    ],
    ["drops its own address from the wire", { from: "10.1.0.1", to: "10.0.0.1" }, {}, "drop martian"],
    [
      "accepts its own address with accept_local",
      { from: "10.1.0.1", to: "10.0.0.1" },
      { sysctls: { "net/ipv4/conf/eth0/accept_local": "1" } },
      "deliver",
    ],
    ["drops loopback addresses from the wire", { to: "127.0.0.1" }, {}, "drop martian"],
    ["accepts an asymmetric source without a filter", { from: "10.1.0.9", to: "10.0.0.1" }, {}, "deliver"],
    [
      "drops an asymmetric source with the strict filter",
      { from: "10.1.0.9", to: "10.0.0.1" },
      strict,
      "drop reverse-path-filter",
    ],
    [
      "accepts a symmetric source with the strict filter",
      { from: "10.1.0.9", to: "10.0.0.1", link: "eth1" },
      strict,
      "deliver",
    ],
    ["accepts an asymmetric source with the loose filter", { from: "10.1.0.9", to: "10.0.0.1" }, loose, "deliver"],
    [
      "drops a source without a unicast route with the loose filter",
      { from: "10.5.0.3", to: "10.0.0.1" },
      loose,
      "drop reverse-path-filter",
    ],
    [
      "drops on a link without addresses even with the loose filter",
      { from: "10.0.0.9", to: "10.0.0.1", link: "cali1" },
      loose,
      "drop reverse-path-filter",
    ],
    ["forwards no IPv6 while the sysctl is 0", { from: "fd00::9", to: "fd00::8" }, {}, "drop forwarding-off"],
    [
      "forwards IPv6",
      { from: "fd00::9", to: "fd00::8" },
      { sysctls: { "net/ipv6/conf/all/forwarding": "1" } },
      "forward",
    ],
  ];
  for (const [title, packet, change, expected] of cases)
    it(title, () => {
      assert.equal(route(packet, change), expected);
    });
});

describe("answers to ARP", () => {
  const answers = (target: string, link: string, sysctls: Readonly<Record<string, string>> = {}): boolean =>
    answersArp(
      compileNamespace(buildNamespace({ ...NODE, sysctls: { ...NODE.sysctls, ...sysctls } })),
      link,
      target,
      "10.0.0.9",
    );

  it("answers to ARP are given for an address of another link unless arp_ignore is 1", () => {
    assert.deepEqual(
      [answers("10.1.0.1", "eth0"), answers("10.1.0.1", "eth0", { "net/ipv4/conf/all/arp_ignore": "1" })],
      [true, false],
    );
  });

  it("answers to ARP are never given with arp_ignore 8", () => {
    assert.equal(answers("10.0.0.1", "eth0", { "net/ipv4/conf/eth0/arp_ignore": "8" }), false);
  });

  it("answers to ARP are given for what the namespace forwards to another link only with proxy_arp", () => {
    assert.deepEqual(
      [answers("10.5.0.2", "eth0"), answers("10.5.0.2", "eth0", { "net/ipv4/conf/eth0/proxy_arp": "1" })],
      [false, true],
    );
  });

  it("answers to ARP are not given to a sender that the reverse path filter refuses", () => {
    assert.equal(answers("10.1.0.1", "eth1", { "net/ipv4/conf/all/rp_filter": "1" }), false);
  });
});

describe("answers to neighbour solicitations", () => {
  it("answers to neighbour solicitations are given for addresses of the link alone", () => {
    const state = compileNamespace(buildNamespace(NODE));
    assert.deepEqual([answersNdp(state, "eth0", "fd00::1"), answersNdp(state, "eth1", "fd00::1")], [true, false]);
  });
});

import assert from "node:assert/strict";
import { buildNamespace, type NamespaceText } from "../../testing/trace-namespace.ts";
import { lookupRoute } from "./lookup-route.ts";
import { compileNamespace } from "./namespace-state.ts";
import { selectSource } from "./select-source.ts";

const HOST: NamespaceText = {
  id: "host",
  links: { eth0: {}, eth1: {}, bare0: {} },
  addresses: [
    "10.0.0.1/24 eth0",
    "10.0.0.2/24 eth0 secondary",
    "10.1.0.1/24 eth0",
    "10.2.0.1/24 eth1",
    "fe80::1/64 eth0",
    "fd00:1::1/64 eth0 deprecated",
    "fd00:2::1/64 eth0",
    "2001:db8::1/64 eth1",
  ],
  routes: [
    "192.0.2.0/24 via 10.1.0.254 dev eth0",
    "198.51.100.0/24 via 10.0.0.254 dev eth0 src 10.2.0.1",
    "203.0.113.0/24 dev bare0",
    "0.0.0.0/0 via 10.9.9.9 dev eth0",
    "fd00:9::/64 via fe80::99 dev eth0",
    "2001:db8:9::/64 via fe80::99 dev eth0",
  ],
};

describe("source selection", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["takes the preferred source of the route", "198.51.100.1", "10.2.0.1"],
    ["takes the primary address of the gateway's network", "192.0.2.1", "10.1.0.1"],
    ["takes the link's first address if the gateway is in no network of it", "8.8.8.8", "10.0.0.1"],
    ["takes another link's address if the link has none", "203.0.113.1", "10.0.0.1"],
    ["answers to itself from the same address", "10.2.0.1", "10.2.0.1"],
    ["prefers an IPv6 address that is not deprecated", "fd00:9::1", "fd00:2::1"],
    ["prefers the outgoing link to a longer common prefix", "2001:db8:9::1", "fd00:2::1"],
  ];
  const state = compileNamespace(buildNamespace(HOST));
  for (const [title, destination, expected] of cases)
    it(title, () => {
      const family = destination.includes(":") ? "ipv6" : "ipv4";
      const result = lookupRoute(state, { family, destination, mark: 0, inLink: "lo" });
      assert(result.kind === "route");
      assert.equal(selectSource(state, result.route, result.nexthops[0], destination), expected);
    });
});

import assert from "node:assert/strict";
import { buildNamespace, type NamespaceText } from "../../testing/trace-namespace.ts";
import { formatRoute } from "./format-route.ts";
import { lookupRoute } from "./lookup-route.ts";
import type { RouteQuery } from "./route-query.ts";
import { compileNamespace } from "./namespace-state.ts";

const ROUTER: NamespaceText = {
  id: "router",
  links: { eth0: {}, eth1: {}, down0: { up: false } },
  addresses: ["10.0.0.1/24 eth0", "10.0.1.1/24 eth1", "fd00::1/64 eth0"],
  routes: [
    "0.0.0.0/0 via 10.0.0.254 dev eth0",
    "10.9.0.0/16 via 10.0.1.254 dev eth1",
    "10.9.1.0/24 via 10.0.0.9 dev eth0 metric 20",
    "10.9.1.0/24 via 10.0.1.9 dev eth1 metric 10",
    "blackhole 10.8.0.0/16",
    "unreachable 10.8.1.0/24",
    "throw 10.7.0.0/16 table 100",
    "0.0.0.0/0 via 10.0.1.254 dev eth1 table 100",
  ],
  rules: [
    "100: from 10.0.1.0/24 lookup 100",
    "101: from all fwmark 0x10/0xf0 lookup 100",
    "102: from all to 10.6.0.0/16",
  ],
};

function look(query: Partial<RouteQuery>, text: NamespaceText = ROUTER): string {
  const state = compileNamespace(buildNamespace(text));
  const result = lookupRoute(state, { family: "ipv4", destination: "192.0.2.1", mark: 0, inLink: "lo", ...query });
  switch (result.kind) {
    case "route":
      return formatRoute(result.route, result.nexthops[0]);
    case "none":
      return "none";
    default:
      return `${result.kind}: ${result.text}`;
  }
}

describe("route lookup", () => {
  const cases: readonly (readonly [string, Partial<RouteQuery>, string])[] = [
    [
      "takes an address of its own from the table local",
      { destination: "10.0.0.1" },
      "local 10.0.0.1 dev eth0 src 10.0.0.1 table local",
    ],
    ["takes the default route last", {}, "default via 10.0.0.254 dev eth0 table main"],
    ["takes the longest prefix", { destination: "10.9.2.1" }, "10.9.0.0/16 via 10.0.1.254 dev eth1 table main"],
    [
      "takes the smallest metric of a prefix",
      { destination: "10.9.1.1" },
      "10.9.1.0/24 via 10.0.1.9 dev eth1 metric 10 table main",
    ],
    [
      "leaves out routes by another link than the asked one",
      { destination: "10.9.1.1", outLink: "eth0" },
      "10.9.1.0/24 via 10.0.0.9 dev eth0 metric 20 table main",
    ],
    ["ends at a blackhole route", { destination: "10.8.2.1" }, "reject: blackhole 10.8.0.0/16 table main"],
    ["prefers a longer unreachable route", { destination: "10.8.1.1" }, "reject: unreachable 10.8.1.0/24 table main"],
    ["follows a rule for the source", { source: "10.0.1.1" }, "default via 10.0.1.254 dev eth1 table 100"],
    [
      "goes on with the next rule after a throw route",
      { source: "10.0.1.1", destination: "10.7.0.1" },
      "default via 10.0.0.254 dev eth0 table main",
    ],
    [
      "leaves out a rule for the source while there is none",
      { source: undefined },
      "default via 10.0.0.254 dev eth0 table main",
    ],
    ["compares the masked bits of a mark", { mark: 0x1f }, "default via 10.0.1.254 dev eth1 table 100"],
    ["ends at a rule that prohibits", { destination: "10.6.0.1" }, "reject: 102: from all to 10.6.0.0/16 prohibit"],
    ["finds IPv6 routes", { family: "ipv6", destination: "fd00::2" }, "fd00::1/64 dev eth0 src fd00::1 table main"],
    ["finds no IPv6 route without a default", { family: "ipv6", destination: "2001:db8::1" }, "none"],
  ];
  for (const [title, query, expected] of cases)
    it(title, () => {
      assert.equal(look(query), expected);
    });

  it("answers unknown where a rule has a selector that the model does not know", () => {
    const more = {
      rules: buildNamespace({ id: "x", rules: ["50: from all lookup 100"] }).rules.map((rule) =>
        rule.priority === 50 ? { ...rule, unknown: ["uidrange 0-0"] } : rule,
      ),
    };
    assert.equal(look({}, { ...ROUTER, more }), "unknown: 50: from all uidrange 0-0 lookup 100");
  });

  it("does not use a default route where the rule suppresses it", () => {
    const rules = buildNamespace(ROUTER).rules.map((rule) =>
      rule.priority === 100 ? { ...rule, suppressPrefixLength: 0 } : rule,
    );
    assert.equal(
      look({ source: "10.0.1.1" }, { ...ROUTER, more: { rules } }),
      "default via 10.0.0.254 dev eth0 table main",
    );
  });
});

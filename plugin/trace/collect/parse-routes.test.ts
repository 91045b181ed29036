import assert from "node:assert/strict";
import { ipRoutes, ipRules } from "./ip-output.ts";
import { parseRoutes, parseRules } from "./parse-routes.ts";

const parseRoute = (route: object) => parseRoutes("ipv4", ipRoutes.parse([route]))[0];
const parseRule = (rule: object) => parseRules("ipv4", ipRules.parse([{ priority: 1, src: "all", ...rule }]))[0];

describe("routes and rules of iproute2", () => {
  it("reads a route by its numbers", () => {
    const route = parseRoute({
      type: "1",
      dst: "10.13.0.0/16",
      gateway: "10.1.0.9",
      dev: "e0",
      table: "500",
      protocol: "105",
      scope: "0",
      metric: 7,
      prefsrc: "10.1.0.1",
      flags: ["onlink"],
      metrics: [{ mtu: 1280 }],
    });
    assert.deepEqual(route, {
      family: "ipv4",
      type: "unicast",
      destination: "10.13.0.0/16",
      table: 500,
      scope: 0,
      protocol: "105",
      metric: 7,
      tos: 0,
      source: "10.1.0.1",
      mtu: 1280,
      nexthops: [{ link: "e0", gateway: "10.1.0.9", weight: 1, flags: ["onlink"] }],
    });
  });

  for (const [number, type] of Object.entries({ 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw" }))
    it(`a route of type ${type} has no next hop`, () => {
      const route = parseRoute({ type: number, dst: "default", dev: "lo" });
      assert.deepEqual([route?.type, route?.destination, route?.nexthops], [type, "0.0.0.0/0", []]);
    });

  it("a multipath route has all next hops with their weights, also of the other family", () => {
    const nexthops = [
      { gateway: "10.1.0.5", dev: "e0", weight: 2 },
      { via: { family: "inet6", host: "fe80::1" }, dev: "e1", flags: ["dead"] },
    ];
    assert.deepEqual(parseRoute({ type: "1", dst: "10.1.2.3", nexthops })?.nexthops, [
      { gateway: "10.1.0.5", link: "e0", weight: 2, flags: [] },
      { gateway: "fe80::1", link: "e1", weight: 1, flags: ["dead"] },
    ]);
  });

  it("an address without a length is a host, in both families", () => {
    assert.equal(parseRoute({ type: "2", dst: "10.1.2.3" })?.destination, "10.1.2.3/32");
    assert.equal(parseRoutes("ipv6", ipRoutes.parse([{ type: "2", dst: "::1" }]))[0]?.destination, "::1/128");
  });

  it("an unknown type of route is an error that names the route", () => {
    assert.throws(() => parseRoute({ type: "12", dst: "10.1.2.3" }), /type 12 of the route 10\.1\.2\.3/);
  });

  it("reads every selector of a rule", () => {
    const rule = parseRule({
      not: null,
      src: "10.1.0.0",
      srclen: 16,
      dst: "10.2.0.1",
      fwmark: "0x10",
      fwmask: "0xff",
      iif: "e0",
      oif: "vx",
      ipproto: "ipproto-6",
      sport_start: 10,
      sport_end: 20,
      dport: 80,
      tos: "0x10",
      table: "77",
      suppress_prefixlen: 0,
    });
    assert.deepEqual(rule, {
      family: "ipv4",
      priority: 1,
      action: "table",
      table: 77,
      not: true,
      from: "10.1.0.0/16",
      to: "10.2.0.1/32",
      inLink: "e0",
      outLink: "vx",
      mark: { value: 16, mask: 255 },
      tos: 16,
      ipProtocol: "tcp",
      sourcePort: [10, 20],
      destinationPort: [80, 80],
      suppressPrefixLength: 0,
      unknown: [],
    });
  });

  it("a mark without a mask is compared in all bits", () => {
    assert.deepEqual(parseRule({ fwmark: "0x4", action: "6" })?.mark, { value: 4, mask: 0xffff_ffff });
  });

  for (const [rule, expected] of [
    [{ action: "6" }, "blackhole"],
    [{ action: "8" }, "prohibit"],
    [{ goto: 50 }, "goto"],
    [{ action: "3" }, "nop"],
  ] as const)
    it(`a rule ${JSON.stringify(rule)} has the action ${expected}`, () => {
      assert.equal(parseRule(rule)?.action, expected);
    });

  it("keeps what the model does not know", () => {
    assert.deepEqual(parseRule({ uid_start: 0, uid_end: 99, table: "5" })?.unknown, ["uidrange 0-99"]);
    assert.deepEqual(parseRule({ l3mdev: null })?.unknown, ["l3mdev"]);
  });
});

import assert from "node:assert/strict";
import type { ClusterApi } from "../support/cluster-api.ts";
import { BeforeAll, Describe, It } from "../harness.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const GOOD = {
  subnet: "10.8.0.0/16",
  ranges: ["10.8.200.0/24", "10.8.7.1-10.8.7.9", "10.8.9.9"],
  gateway: "10.8.0.1",
};

const GOOD_IPV6 = {
  subnet: "fd00:8::/64",
  ranges: ["fd00:8::200:0/112", "FD00:8::1-fd00:8:0::9", "fd00:8:0:0:8:8:8:8"],
  gateway: "fd00:8::fe",
};

/** Invalid pools, each with the API server's error. */
const REFUSED: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>, message: RegExp])[] = [
  ["a range outside the subnet", { ranges: ["10.9.0.0/24"] }, /a range is outside the subnet/],
  ["a range that leaves the subnet", { ranges: ["10.8.255.250-10.9.0.2"] }, /a range is outside the subnet/],
  ["a network larger than the subnet", { ranges: ["10.8.0.0/15"] }, /a range is outside the subnet/],
  ["a gateway outside the subnet", { gateway: "10.9.0.1" }, /the gateway is outside the subnet/],
  ["a gateway in a network", { gateway: "10.8.200.1" }, /the gateway is in a range/],
  ["a gateway in a range", { gateway: "10.8.7.9" }, /the gateway is in a range/],
  ["a gateway that is a range", { gateway: "10.8.9.9" }, /the gateway is in a range/],
  ["a gateway of the other family", { gateway: "fd00::1" }, /gateway and subnet are of different address families/],
  [
    "a range of the other family",
    { ranges: ["fd00::/64"] },
    /a range and the subnet are of different address families/,
  ],
  ["an excluded address of the other family", { excluded: ["fd00::9"] }, /an excluded address and the subnet are of/],
  ["a range that ends before it begins", { ranges: ["10.8.7.9-10.8.7.1"] }, /the range ends before it begins/],
  ["ranges that overlap", { ranges: ["10.8.200.0/24", "10.8.200.250-10.8.201.2"] }, /two ranges overlap/],
  ["the same range twice", { ranges: ["10.8.9.9", "10.8.9.9"] }, /two ranges overlap/],
  ["an IPv6 range outside the subnet", { ...GOOD_IPV6, ranges: ["fd00:9::/112"] }, /a range is outside the subnet/],
  [
    "an IPv6 range that leaves the subnet",
    { ...GOOD_IPV6, ranges: ["fd00:8::ffff-fd00:8:0:1::"] },
    /a range is outside the subnet/,
  ],
  [
    "an IPv6 range outside a subnet that ends within a digit",
    { ...GOOD_IPV6, subnet: "fd00:8::/62", ranges: ["fd00:8:0:4::7"] },
    /a range is outside the subnet/,
  ],
  ["an IPv6 gateway outside the subnet", { ...GOOD_IPV6, gateway: "fd00:8:0:1::1" }, /gateway is outside the subnet/],
  ["an IPv6 gateway in a network", { ...GOOD_IPV6, gateway: "fd00:8::200:fe" }, /the gateway is in a range/],
  [
    "an IPv6 gateway in a range, written differently",
    { ...GOOD_IPV6, gateway: "fd00:8:0:0::0005" },
    /the gateway is in a range/,
  ],
  [
    "an IPv6 range that ends before it begins",
    { ...GOOD_IPV6, ranges: ["fd00:8::a-fd00:8::9"] },
    /the range ends before it begins/,
  ],
  [
    "IPv6 ranges that overlap",
    { ...GOOD_IPV6, ranges: ["fd00:8::200:0/112", "fd00:8::1ff:0-fd00:8::200:0"] },
    /two ranges overlap/,
  ],
  ["an IPv6 subnet with host bits", { ...GOOD_IPV6, subnet: "fd00:8::1/64" }, /the subnet has host bits/],
  ["an IPv6 range with seven groups", { ...GOOD_IPV6, ranges: ["fd00:8:0:0:1:2:3"] }, /an IPv6 address is malformed/],
  ["an IPv6 range with two gaps", { ...GOOD_IPV6, ranges: ["fd00:8::1::2"] }, /an IPv6 address is malformed/],
  ["an IPv6 gateway with five digits", { ...GOOD_IPV6, gateway: "fd00:8::10000" }, /an IPv6 address is malformed/],
  ["a subnet with host bits", { subnet: "10.8.0.7/16" }, /the subnet has host bits/],
  ["no subnet", { subnet: "10.8.0.0" }, /spec\.subnet/],
  ["an octet beyond 255", { ranges: ["10.8.256.1"] }, /spec\.ranges/],
  ["no range", { ranges: [] }, /spec\.ranges/],
  ["an excluded address that is a name", { excluded: ["printer"] }, /spec\.excluded/],
  ["a reserved range without an end", { reserved: ["10.8.200.1-"] }, /spec\.reserved/],
  ["a route to an address without a prefix length", { routes: [{ dst: "10.9.0.0" }] }, /spec\.routes/],
  ["a route by a gateway that is a name", { routes: [{ dst: "10.9.0.0/16", gw: "router" }] }, /spec\.routes/],
  [
    "an expression without values",
    { nodeSelector: { matchExpressions: [{ key: "rack", operator: "In" }] } },
    /In and NotIn need values/,
  ],
];

/** Invalid ranges of UnderlayReservations. */
const REFUSED_RESERVATIONS: readonly (readonly [what: string, range: string, message: RegExp])[] = [
  ["an octet beyond 255", "10.8.7.300", /spec\.ranges/],
  ["a range that ends before it begins", "10.8.7.9-10.8.7.1", /the range ends before it begins/],
  ["a malformed IPv6 address", "fd00:8::1::2", /an IPv6 address is malformed/],
];

const ACCEPTED: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>])[] = [
  ["ranges of all three forms", {}],
  ["the whole subnet, its gateway excluded", { ranges: ["10.8.0.0/16"], excluded: ["10.8.0.1"] }],
  ["an IPv6 subnet", GOOD_IPV6],
  [
    "a whole IPv6 subnet, the network of its gateway excluded",
    { ...GOOD_IPV6, ranges: ["fd00:8::/64"], excluded: ["fd00:8::/120"] },
  ],
  [
    "IPv6 ranges at both ends of the subnet",
    { ...GOOD_IPV6, subnet: "fd00:8::/61", ranges: ["fd00:8::", "fd00:8:0:7:ffff:ffff:ffff:ffff"] },
  ],
  [
    "selectors, names, networks and routes",
    {
      nodeSelector: { matchExpressions: [{ key: "rack", operator: "In", values: ["a"] }] },
      podSelector: { matchExpressions: [{ key: "app", operator: "Exists" }] },
      nodeNames: ["n1"],
      namespaces: ["shop"],
      networks: ["rack-*"],
      routes: [{ dst: "10.9.0.0/16", gw: "10.8.0.9" }],
    },
  ],
  ["a /8", { subnet: "10.0.0.0/8", ranges: ["10.128.0.0/9"], gateway: "10.0.0.1" }],
];

const POD = { namespace: "default", name: "tried", uid: "1" };

export function registerSpecs(run: TestRun): void {
  Describe("CRDs: the API server rejects invalid objects", { labels: ["ipam"] }, () => {
    let api: ClusterApi;
    BeforeAll(async () => {
      ({ api } = await setupCluster(run));
    });

    const create = (kind: string, spec: Readonly<Record<string, unknown>>) =>
      api.objects.create(
        { apiVersion: GROUP_VERSION, kind, metadata: { name: "tried" }, spec } as never,
        undefined,
        "All", // dry run: nothing is stored
      );
    const createPool = (change: Readonly<Record<string, unknown>>) => create("UnderlayPool", { ...GOOD, ...change });

    for (const [description, change] of ACCEPTED)
      It(`accepts a pool with ${description}`, () => createPool(change).then(() => undefined));
    for (const [description, change, message] of REFUSED)
      It(`rejects a pool with ${description}`, () => assert.rejects(() => createPool(change), message));
    for (const [description, range, message] of REFUSED_RESERVATIONS)
      It(`rejects an UnderlayReservation with ${description}`, () =>
        assert.rejects(() => create("UnderlayReservation", { ranges: [range] }), message),
      );
    const createAddress = (address: string) =>
      create("UnderlayAddress", { address, pool: "p", node: "n", containerId: "c", ifname: "eth0", pod: POD });
    for (const address of ["10.8.0.1", "fd00:8::1"])
      It(`accepts an UnderlayAddress with ${address}`, () => createAddress(address).then(() => undefined));
    for (const address of ["printer", "10.8.0.256", "10.8.0.1/16", "../10.8.0.1", "10.8.0.1;reboot"])
      It(`rejects an UnderlayAddress with "${address}"`, () =>
        assert.rejects(() => createAddress(address), /spec\.address/),
      );
  });
}

registerIfMain(import.meta.url, registerSpecs);

import assert from "node:assert/strict";
import { makeFacts } from "../../testing/make-facts.ts";
import { parseCidr, parseInterfaceAddress, parseIp } from "../address.ts";
import type { Facts } from "../facts.ts";
import { DEFAULT_ROUTING_IDS } from "./routing-ids.ts";
import { describeItem, type Plan } from "../plan-item.ts";
import { type NicSurvey, buildPlan } from "./build-plan.ts";
import { rebuildPlan } from "./rebuild-plan.ts";

const NODE = ["10.7.168.71", "fd07::71"].map(parseIp);
const facts = (changes: Partial<Facts> = {}): Facts =>
  makeFacts({
    node: { name: "n1", addresses: NODE, otherAddresses: [] },
    overlayCidrs: [parseCidr("10.233.64.0/18")],
    ...changes,
  });
const overlay = (...cidrs: readonly string[]): Facts => facts({ overlayCidrs: cidrs.map(parseCidr) });
const address = (text: string, gateway: string) => ({ ...parseInterfaceAddress(text), gateway: parseIp(gateway) });
const addresses = [address("10.7.200.1/16", "10.7.0.1"), address("fd07::200:1/64", "fd07::1")];
const connected = [
  { network: parseCidr("10.7.0.0/16"), source: parseIp("10.7.200.1") },
  { network: parseCidr("fd07::/64") },
];
const underlay: NicSurvey = {
  type: "underlay",
  first: [],
  connected,
  nic: { containerId: "c", ifname: "eth0", addresses, mtu: 1500, numbers: DEFAULT_ROUTING_IDS },
};
const multiNic: NicSurvey = {
  type: "multi-nic",
  first: [],
  connected,
  nic: {
    ifname: "net1",
    linkIndex: 5,
    addresses,
    overlay: true,
    numbers: DEFAULT_ROUTING_IDS,
    anchor: {
      podLink: "eth0",
      podLinkIndex: 2,
      podMac: "02:00:00:00:00:01",
      nodeLink: "cali1",
      nodeMac: "02:00:00:00:00:02",
      nodeAddresses: [],
      addresses: ["10.233.64.5", "fd33:64::5"].map(parseIp),
      gateways: ["169.254.1.1", "fe80::1"].map(parseIp),
    },
  },
};
const lines = ({ items }: Plan): readonly string[] => items.map(describeItem);

const CHANGES: readonly (readonly [string, Facts])[] = [
  ["a pool that is added", overlay("10.233.64.0/18", "10.234.0.0/24", "fd34::/48")],
  ["a pool that is replaced", overlay("10.99.0.0/16")],
  ["no overlay at all", overlay()],
  [
    "a node that has another address",
    facts({ node: { name: "n1", addresses: ["10.7.168.99", "fd07::99"].map(parseIp), otherAddresses: [] } }),
  ],
  [
    "a second address of the node",
    facts({ node: { name: "n1", addresses: NODE, otherAddresses: ["192.0.2.9", "2001:db8::9"].map(parseIp) } }),
  ],
  ["a family that the node has lost", facts({ node: { name: "n1", addresses: NODE.slice(0, 1), otherAddresses: [] } })],
  ["a virtual address", facts({ viaNode: [{ destination: parseCidr("10.7.250.1/32"), reason: "VIP" }] })],
];

describe("rebuildPlan", () => {
  for (const survey of [underlay, multiNic])
    for (const [what, now] of CHANGES)
      it(`gives the plan that a new ${survey.type} pod gets: ${what}`, () => {
        const expected = buildPlan(now, survey);
        const rebuilt = rebuildPlan({ plan: buildPlan(facts(), survey), survey }, now);
        assert.deepEqual(lines(rebuilt?.plan ?? { items: [] }), lines(expected));
        const back = rebuildPlan({ plan: expected, survey }, facts());
        assert.deepEqual(lines(back?.plan ?? { items: [] }), lines(buildPlan(facts(), survey)));
      });

  it("should list obsolete items without those that a new item replaces", () => {
    const plan = buildPlan(facts(), multiNic);
    const now = facts({
      node: { name: "n1", addresses: [parseIp("10.7.168.99"), parseIp("fd07::71")], otherAddresses: [] },
    });
    assert.deepEqual(rebuildPlan({ plan, survey: multiNic }, now)?.obsolete.map(describeItem), [
      "pod: neighbour 10.7.168.71 dev eth0 lladdr 02:00:00:00:00:02 permanent",
      "pod: route 10.7.168.71 dev eth0 src 10.233.64.5",
      "pod: route 10.7.168.71 dev eth0 src 10.7.200.1 table 10005",
      "pod: route 10.7.168.71 dev eth0 src 10.233.64.5 table 10002",
    ]);
    const removed = rebuildPlan({ plan: buildPlan(facts(), underlay), survey: underlay }, overlay("10.99.0.0/16"));
    assert.deepEqual(removed?.obsolete.map(describeItem), [
      "pod: route 10.233.64.0/18 via 10.7.168.71 dev veth0 src 10.7.200.1",
    ]);
  });

  it("should change the main table of a pod whose record has no survey", () => {
    const withoutConnected: NicSurvey = { ...underlay, connected: [] };
    const plan = buildPlan(facts(), withoutConnected);
    const now = overlay("10.233.64.0/18", "10.234.0.0/24", "fd34::/48");
    assert.deepEqual(lines(rebuildPlan({ plan }, now)?.plan ?? { items: [] }), lines(buildPlan(now, withoutConnected)));
  });

  it("should return undefined without a change", () => {
    for (const survey of [underlay, multiNic, undefined]) {
      const plan = buildPlan(facts(), survey ?? { ...underlay, connected: [] });
      assert.equal(rebuildPlan({ plan, ...(survey === undefined ? {} : { survey }) }, facts()), undefined);
    }
    assert.equal(rebuildPlan({ plan: { items: [] } }, overlay("10.99.0.0/16")), undefined);
  });
});

describe("routes through the node", () => {
  it("should not cover a network of the pod's NICs", () => {
    for (const survey of [underlay, multiNic]) {
      const plan = buildPlan(overlay("10.0.0.0/8", "10.7.0.0/16", "fd07::/64", "fd00::/8", "10.7.128.0/17"), survey);
      const through = lines(plan).filter((line) => /^pod: route (10|fd)\S+\/\d+ via .* src \S+$/.test(line));
      assert.deepEqual(
        through.map((line) => line.split(" ")[2]),
        ["10.7.128.0/17", "10.233.0.0/18", "fd33::/112"],
      );
    }
  });

  it("should include the NIC's connected network as the kernel has it", () => {
    const plan = lines(buildPlan(facts(), underlay));
    assert.ok(plan.includes("pod: route 10.7.0.0/16 dev eth0 src 10.7.200.1"), plan.join("\n"));
    assert.ok(plan.includes("pod: route fd07::/64 dev eth0"), plan.join("\n"));
  });

  it("should contain each destination once", () => {
    const vip = { destination: parseCidr("10.7.168.80/32"), reason: "VIP" };
    const twice = facts({
      node: { name: "n1", addresses: NODE, otherAddresses: [parseIp("10.7.168.80")] },
      hijackCidrs: [parseCidr("10.233.64.0/18")],
      viaNode: [vip, { ...vip, destination: parseCidr("10.7.168.71/32") }],
    });
    const main = lines(buildPlan(twice, underlay)).filter((line) => /src 10\.7\.200\.1$/.test(line));
    const destinations = main.map((line) => line.split(" ")[2]);
    assert.deepEqual(destinations, [...new Set(destinations)]);
  });
});

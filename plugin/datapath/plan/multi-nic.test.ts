import assert from "node:assert/strict";
import { parseCidr, parseIp } from "../address.ts";
import { makeFacts } from "../../testing/make-facts.ts";
import type { Facts } from "../facts.ts";
import { planSecondaryNic } from "./multi-nic.ts";
import { DEFAULT_ROUTING_IDS } from "./routing-ids.ts";
import { describeItem } from "../plan-item.ts";
import { type NicRoute } from "./secondary-attachment.ts";

/** net1 (link 5) of a pod whose eth0's other end has these addresses. */
const lines = (...nodeAddresses: readonly string[]): readonly string[] => planLines({ nodeAddresses });

const planLines = ({
  nodeAddresses = [],
  routes = [],
  facts = makeFacts(),
}: {
  readonly nodeAddresses?: readonly string[];
  readonly routes?: readonly NicRoute[];
  readonly facts?: Facts;
}): readonly string[] =>
  planSecondaryNic(facts, {
    routes,
    ifname: "net1",
    linkIndex: 5,
    addresses: [{ ip: parseIp("10.7.200.1"), network: parseCidr("10.7.0.0/16"), gateway: parseIp("10.7.0.1") }],
    overlay: true,
    numbers: DEFAULT_ROUTING_IDS,
    anchor: {
      podLink: "eth0",
      podLinkIndex: 2,
      podMac: "02:00:00:00:00:01",
      nodeLink: "veth1",
      nodeMac: "02:00:00:00:00:02",
      nodeAddresses: nodeAddresses.map(parseIp),
      addresses: [parseIp("10.98.0.2")],
      gateways: [parseIp("10.98.0.1")],
    },
  }).items.map(describeItem);

describe("the plan of a net1", () => {
  it("should have a route to the address of the node's end of the pair, as with ptp", () => {
    const plan = lines("10.98.0.1", "fd98::1");
    assert.deepEqual(
      plan.filter((line) => !lines().includes(line)),
      ["pod: route 10.98.0.1 dev eth0 src 10.7.200.1 table 10005"],
    );
  });

  const table = (what: Parameters<typeof planLines>[0]): readonly string[] =>
    planLines(what)
      .filter((line) => line.endsWith("table 10005"))
      .map((line) => line.replace(/^pod: route (.*) src 10\.7\.200\.1 table 10005$/, "$1"));

  it("should have a table with its network, gateway, node, overlay and Services", () => {
    assert.deepEqual(table({}), [
      "10.7.0.0/16 dev net1",
      "10.7.168.71 dev eth0",
      "10.233.64.0/18 via 10.7.168.71 dev eth0",
      "10.233.0.0/18 via 10.7.168.71 dev eth0",
      "default via 10.7.0.1 dev net1",
    ]);
  });

  it("should have a table with all node addresses, because the node masquerades with any of them", () => {
    const node = { name: "n1", addresses: [parseIp("10.7.168.71")], otherAddresses: [parseIp("192.168.0.5")] };
    assert.ok(table({ facts: makeFacts({ node }) }).includes("192.168.0.5 via 10.7.168.71 dev eth0"));
  });

  it("should use its own link for configured or announced addresses", () => {
    const facts = makeFacts({
      hijackCidrs: [parseCidr("192.0.2.0/24")],
      viaNode: [{ destination: parseCidr("10.7.9.9/32"), reason: "a VIP" }],
    });
    assert.deepEqual(table({ facts }), table({}));
  });

  it("should have its own routes in its table, by their gateways", () => {
    const routes = [
      { destination: parseCidr("192.0.2.0/24"), gateway: parseIp("10.7.0.9") },
      { destination: parseCidr("198.51.100.0/24") },
      { destination: parseCidr("2001:db8::/64"), gateway: parseIp("fd07::9") },
    ];
    assert.deepEqual(
      table({ routes }).filter((line) => !table({}).includes(line)),
      ["192.0.2.0/24 via 10.7.0.9 dev net1", "198.51.100.0/24 via 10.7.0.1 dev net1"],
    );
  });

  it("should prefer its own default route to its address's gateway", () => {
    const routes = [{ destination: "default" as const, gateway: parseIp("10.7.0.9") }];
    assert.equal(table({ routes }).at(-1), "default via 10.7.0.9 dev net1");
  });

  it("should have no route to the node's end behind Calico, which has no address", () => {
    assert.ok(!lines().some((line) => line.startsWith("pod: route 10.98.0.1 ")));
  });
});

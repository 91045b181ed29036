import assert from "node:assert/strict";
import { parseCidr, parseIp } from "./address.ts";
import { makeFacts } from "../testing/facts.ts";
import { planExtraNic } from "./multi-nic.ts";
import { DEFAULT_NUMBERS } from "./numbers.ts";
import { describeItem } from "./plan.ts";

const facts = makeFacts();

/** net1 (link 5) of a pod whose eth0's other end has these addresses. */
const lines = (...nodeAddresses: readonly string[]): readonly string[] =>
  planExtraNic(facts, {
    ifname: "net1",
    linkIndex: 5,
    addresses: [{ ip: parseIp("10.7.200.1"), network: parseCidr("10.7.0.0/16"), gateway: parseIp("10.7.0.1") }],
    overlay: true,
    numbers: DEFAULT_NUMBERS,
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
  it("has a way back to the addresses of the node's end, by which the node masquerades: ptp's has one", () => {
    const plan = lines("10.98.0.1", "fd98::1");
    assert.deepEqual(
      plan.filter((line) => !lines().includes(line)),
      ["pod: route 10.98.0.1 dev eth0 src 10.7.200.1 table 10005"],
    );
  });

  it("has no such line behind Calico, whose ends have no address", () => {
    assert.ok(!lines().some((line) => line.startsWith("pod: route 10.98.0.1 ")));
  });
});

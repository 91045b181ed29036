import assert from "node:assert/strict";
import { parseFlows } from "./invalid-flows.ts";

const element = (concat: readonly (string | number)[], packets: number) => ({
  elem: { val: { concat }, counter: { packets, bytes: 60 * packets } },
});
const FLOW = ["10.7.200.1", "10.233.64.5", 40000, 8080] as const;
const FLOW6 = ["fd00:7::1", "fd00:233::5", 40001, 8080] as const;

describe("parseFlows", () => {
  it("pairs what a connection's packets did before and after the filters, in both families", () => {
    const listing = {
      nftables: [
        { metainfo: { version: "1.0.6" } },
        { table: { family: "inet", name: "interlay-e2e" } },
        { set: { name: "received-ipv4", elem: [element(FLOW, 5)] } },
        { set: { name: "received-ipv6", elem: [element(FLOW6, 3)] } },
        { set: { name: "forwarded-ipv4" } },
        { set: { name: "forwarded-ipv6", elem: [element(FLOW6, 2)] } },
        { chain: { name: "received" } },
      ],
    };
    assert.deepEqual(parseFlows(JSON.stringify(listing)), [
      { family: "ipv4", source: "10.7.200.1:40000", destination: "10.233.64.5:8080", received: 5, forwarded: 0 },
      { family: "ipv6", source: "[fd00:7::1]:40001", destination: "[fd00:233::5]:8080", received: 3, forwarded: 2 },
    ]);
  });

  it("rejects a listing of another form", () => {
    assert.throws(() => parseFlows('{"nftables":[{"set":{"name":"received-ipv4","elem":["10.0.0.1"]}}]}'), /elem/);
  });
});

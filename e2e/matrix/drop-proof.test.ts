import assert from "node:assert/strict";
import { createCell } from "../../results/report-fixtures.ts";
import { type NodeReadings, proveDrops } from "./drop-proof.ts";
import type { InvalidFlow } from "./invalid-flows.ts";
import type { NodeFilter } from "../deployment/variant.ts";

const RULE = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP";
const flow = (change: Partial<InvalidFlow> = {}): InvalidFlow => ({
  family: "ipv4",
  source: "10.7.200.1:40000",
  destination: "10.233.64.5:8080",
  received: 5,
  forwarded: 0,
  ...change,
});
const filter = (packets: number | undefined): NodeFilter => ({
  node: "n1",
  tcpBeLiberal: 0,
  invalidDrop: { ipv4: { rule: RULE, packets } },
});
const cell = createCell({
  expected: "blocked",
  blockedBy: "invalid-rule",
  actual: "fail",
  client: "10.7.200.1:40000",
  reason: "the gate's reason",
});
const readings = (change: Partial<NodeReadings> = {}): NodeReadings => ({
  before: [filter(10)],
  after: [filter(15)],
  flows: new Map([["n1", [flow()]]]),
  ...change,
});
const prove = (one: typeof cell, read: NodeReadings) => proveDrops([one], new Set([cell.id]), () => "n1", read)[0];

describe("proveDrops", () => {
  it("accepts a cell all of whose INVALID packets the rule dropped, with the figures", () => {
    const proven = prove(cell, readings());
    assert.equal(proven?.ok, true);
    assert.match(
      proven.reason ?? "",
      /^the gate's reason; 5 packets of 10\.7\.200\.1:40000 were INVALID on n1, and none/,
    );
    assert.deepEqual(proven.evidence, {
      counter: { node: "n1", rule: RULE, before: 10, after: 15 },
      drop: { node: "n1", received: 5, forwarded: 0 },
    });
  });

  it("accepts nftables mode, whose rule has no counter", () => {
    const proven = prove(cell, readings({ before: [filter(undefined)], after: [filter(undefined)] }));
    assert.equal(proven?.ok, true);
    assert.deepEqual(proven.evidence, { drop: { node: "n1", received: 5, forwarded: 0 } });
  });

  const unproven: readonly (readonly [title: string, read: Partial<NodeReadings>, says: RegExp])[] = [
    [
      "of another connection of the same pods",
      { flows: new Map([["n1", [flow({ source: "10.7.200.1:40001" })]]]) },
      /no INVALID packet/,
    ],
    ["on another node", { flows: new Map([["n2", [flow()]]]) }, /no INVALID packet/],
    ["that were forwarded", { flows: new Map([["n1", [flow({ forwarded: 2 })]]]) }, /forwarded 2 of its 5/],
    ["that another rule dropped", { after: [filter(14)] }, /dropped 5 INVALID packets, but the counter .* rose by 4/],
    ["on a node without the rule", { after: [{ ...filter(15), invalidDrop: {} }] }, /has no such rule/],
  ];
  for (const [title, read, message] of unproven)
    it(`rejects INVALID packets ${title}`, () => {
      const refuted = prove(cell, readings(read));
      assert.equal(refuted?.ok, false);
      assert.match(refuted.reason ?? "", /^something else than kube-proxy's INVALID rule blocks it: /);
      assert.match(refuted.reason ?? "", message);
    });

  it("rejects a cell whose connection was not established, also where no node can be read", () => {
    const { client, ...silent } = cell;
    assert.ok(client);
    const none = { before: [], after: [], flows: new Map() };
    assert.equal(prove(silent, readings())?.ok, false);
    assert.equal(prove(silent, none)?.ok, false);
    assert.equal(prove(cell, none)?.ok, true);
  });

  it("leaves other cells alone", () => {
    const other = createCell({ id: "matrix/a/b/same-node/tcp" });
    assert.deepEqual(
      proveDrops([other], new Set([cell.id]), () => "n1", readings()),
      [other],
    );
  });
});

import assert from "node:assert/strict";
import { figuresOf, overallOf } from "./compare.ts";
import { sentBy } from "./link-counter.ts";
import { policyRulesIn } from "./parts.ts";

describe("what a way costs", () => {
  const rounds = {
    without: { stream: [[100, 100, 130, 130], [50]], questions: [[20, 26, 26, 26], [40]] },
    notrack: { stream: [[125, 160, 160, 160], [62.5]], questions: [[21, 21, 21, 21], [42]] },
    liberal: { stream: [[100, 900, 900, 900], [50]], questions: [[20, 20, 20, 20], [40]] },
  };

  it("is told set by set, and what has the computer for a while in one state or another does not count", () => {
    const found = new Map(figuresOf("w", rounds).map((figure) => [figure.name, figure.value]));
    assert.equal(found.get("w: throughput without / notrack"), 1.25);
    assert.equal(found.get("w: p50 notrack / without"), 1.05);
    assert.equal(found.get("w: p50 liberal / without"), 1);
    assert.equal(found.get("w: throughput without / liberal"), 1);
    assert.equal(found.get("w: throughput, without"), 14.14);
    assert.equal(found.get("w: p50, without"), 28.28);
  });

  it("is told of all ways together", () => {
    const twice = ["v", "w"].flatMap((name) => figuresOf(name, rounds));
    const found = new Map(overallOf(twice).map((figure) => [figure.name, figure]));
    assert.equal(found.get("all ways: p50 notrack / without")?.value, 1.05);
    assert.equal(found.get("all ways: p50 notrack / without")?.limit, 1.03);
    assert.equal(found.size, 4);
  });

  it("is held against no limit where the same was taken once more: that is the noise", () => {
    const figures = figuresOf("w", { ...rounds, again: rounds.notrack });
    const noise = figures.find(({ name }) => name === "w: throughput without / again");
    assert.deepEqual([noise?.value, noise?.limit], [1.25, undefined]);
  });

  it("has no peer where there is no such way without Interlay", () => {
    const { notrack, liberal } = rounds;
    const figures = figuresOf("w", { notrack, liberal });
    assert.deepEqual(
      figures.filter(({ limit }) => limit !== undefined),
      [],
    );
    assert.equal(figures.length, 4);
  });

  it("takes out of a namespace no rule of the kernel's own", () => {
    const listed =
      "0:\tfrom all lookup local\n32:\tfrom all fwmark 0x1/0x1 lookup 101 proto static\n32766:\tfrom all lookup main\n";
    assert.deepEqual(policyRulesIn(listed), ["priority 32 from all fwmark 0x1/0x1 lookup 101 proto static"]);
  });

  it("is counted by what the link sent, not by what it got", () => {
    const file = "Inter-|   Receive\n face |bytes\n    lo: 1 2 3 4 5 6 7 8 9 10\n  net1: 11 1 0 0 0 0 0 0 22 2 0\n";
    assert.deepEqual(sentBy("net1", file), { bytes: 22, packets: 2 });
    assert.throws(() => sentBy("eth0", file), /no link eth0/);
  });
});

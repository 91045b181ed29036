import assert from "node:assert/strict";
import { POD_TYPES } from "../../../results/schema.ts";
import { sampleCells, SCALE_TARGETS } from "./scale-cells.ts";
import { renderChart } from "./chart.ts";
import { classifyGrowth, fitLine } from "./curve.ts";
import { countBacklogDrops, readDropped, countFullTables } from "./dropped.ts";

describe("the sampled matrix of many nodes", () => {
  const cells = sampleCells(20);

  it("contains every pair of nodes, and each node with itself", () => {
    assert.equal(new Set(cells.map(({ from, to }) => `${from} ${to}`)).size, 400);
  });

  it("contains every source type with every target, on the same node and on another", () => {
    for (const same of [true, false]) {
      const kinds = new Set(
        cells.filter(({ from, to }) => (from === to) === same).map((c) => `${c.source} ${c.target}`),
      );
      if (!same) assert.equal(kinds.size, POD_TYPES.length * SCALE_TARGETS.length);
      else assert.ok(kinds.size >= 15, `only ${kinds.size} kinds on the same node`);
    }
  });

  it("probes addresses by all three protocols", () => {
    const kinds = new Set(cells.filter(({ target }) => !target.includes(":")).map((c) => `${c.target} ${c.protocol}`));
    assert.equal(kinds.size, 9);
  });
});

describe("a growth curve", () => {
  const at = (value: (pods: number) => number) =>
    [100, 200, 300, 400, 500].map((pods) => ({ pods, value: value(pods) }));

  it("is classified as flat, linear or worse", () => {
    assert.equal(classifyGrowth(at((pods) => 30 + (pods % 200 === 0 ? 2 : 0))), "flat");
    assert.equal(classifyGrowth(at((pods) => 3 + pods / 10)), "linear");
    assert.equal(classifyGrowth(at((pods) => pods ** 2)), "worse");
    assert.equal(classifyGrowth(at((pods) => 100 - pods / 100)), "flat");
  });

  it("has a base and a slope", () => {
    assert.deepEqual(fitLine(at((pods) => 3 + pods / 10)), { base: 3, slope: 0.1 });
  });

  it("is drawn in a panel", () => {
    const svg = renderChart("t", [{ title: "<routes>", unit: "", points: at((pods) => pods) }]);
    assert.match(svg, /^<svg /);
    assert.match(svg, /&lt;routes&gt;/);
    assert.equal(svg.match(/<circle/g)?.length, 5);
  });
});

describe("the kernel's drop counters", () => {
  it("the kernel's drop counters are summed over the processors", () => {
    assert.equal(countBacklogDrops("0000012b 0000000a 00000000\n00008c1f 00000002 00000002\n"), 12);
    assert.equal(
      countFullTables("entries  allocs   table_fulls\n00000003 00000001 00000010\n00000003 00000002 00000001\n"),
      17,
    );
  });

  it("the kernel's drop counters have the expected format in this kernel", async () => {
    assert.ok(Object.values(await readDropped()).every((count) => count >= 0));
  });
});

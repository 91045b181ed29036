import assert from "node:assert/strict";
import { chooseNodes, describeLeftOut } from "./choose-nodes.ts";
import { createInventory, createNode } from "./inventory/inventory-fixtures.ts";

const OPTIONS = { workers: 2, datapath: "interlay" } as const;
const choose = (
  nodes: Parameters<typeof chooseNodes>[0]["nodes"],
  options: Partial<Parameters<typeof chooseNodes>[1]> = {},
) => chooseNodes({ nodes }, { ...OPTIONS, ...options });
const listChosen = (...input: Parameters<typeof choose>) => choose(...input).chosen.map(({ name }) => name);

describe("chooseNodes", () => {
  it("chooses the first usable workers by name, up to the maximum", () => {
    const nodes = ["w10", "w2", "w1"].map((name) => createNode(name));
    const all = [createNode("c", { controlPlane: true }), createNode("w0", { ready: false }), ...nodes];
    assert.deepEqual(listChosen(all), ["w1", "w2"]);
    assert.equal(choose(all).spare, 1);
  });

  it("names every node that cannot get pods, with the reason", () => {
    const all = [
      createNode("w1"),
      createNode("w4", { os: "windows" }),
      createNode("w3", { schedulable: false }),
      createNode("w2", { ready: false }),
    ];
    assert.deepEqual(choose(all).unusable, ["w2 (not Ready)", "w3 (unschedulable)", "w4 (windows)"]);
    assert.deepEqual(describeLeftOut(choose(all)), [
      "These nodes get no pods: w2 (not Ready), w3 (unschedulable), w4 (windows).",
    ]);
    assert.deepEqual(describeLeftOut(choose([createNode("w1")])), []);
  });

  it("chooses only selected nodes, of the control plane too", () => {
    const all = [
      createNode("c", { controlPlane: true, selected: true }),
      createNode("w1", { selected: false }),
      createNode("w2", { selected: true }),
    ];
    assert.deepEqual(listChosen(all, { nodeSelector: "pool=a" }), ["c", "w2"]);
  });

  it("chooses nodes of the control plane in a cluster without workers", () => {
    const controlPlanes = ["c1", "c2", "c3"].map((name) => createNode(name, { controlPlane: true }));
    assert.deepEqual(listChosen(controlPlanes), ["c1", "c2"]);
    assert.deepEqual(listChosen(controlPlanes.slice(0, 1)), ["c1"]);
    assert.deepEqual(listChosen([...controlPlanes, createNode("w1", { ready: false })]), []);
  });

  it("chooses nodes of different zones first", () => {
    const zones = ["a", "a", "a", "b", "b"];
    const all = zones.map((zone, index) => createNode(`w${index + 1}`, { zone }));
    assert.deepEqual(listChosen(all), ["w1", "w4"]);
    assert.deepEqual(listChosen(all, { workers: 4 }), ["w1", "w4", "w2", "w5"]);
  });

  it("leaves out a node without an agent of the installed Interlay", () => {
    const { interlay } = createInventory();
    const nodes = [createNode("simulated"), createNode("w1"), createNode("w2")];
    const choice = chooseNodes({ nodes, interlay }, OPTIONS);
    assert.deepEqual(
      choice.chosen.map(({ name }) => name),
      ["w1", "w2"],
    );
    assert.match(choice.unusable.join(), /^simulated \(without Interlay's agent/);
    assert.deepEqual(chooseNodes({ nodes, interlay }, { ...OPTIONS, datapath: "none" }).unusable, []);
    const fromSuite = interlay && { ...interlay, installedBySuite: true };
    assert.deepEqual(chooseNodes({ nodes, interlay: fromSuite }, OPTIONS).unusable, []);
  });

  it("chooses two of fifty workers, whatever their number", () => {
    const fifty = Array.from({ length: 50 }, (_, index) => createNode(`w${index + 1}`));
    assert.deepEqual(listChosen(fifty), ["w1", "w2"]);
    assert.deepEqual(describeLeftOut(choose(fifty)), ["48 more nodes could get pods: raise --nodes to use them."]);
  });
});

import assert from "node:assert/strict";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { decideExpectation, decideKubeProxyVerdict, type Variant } from "../cells/gate.ts";
import { GATE_MUTANTS, type Observation, findWrongObservations } from "./gate-mutants.ts";

/** A cluster that behaves as the gate expects. */
function asExpected(version: string, mode: "iptables" | "nftables", returnPath: Variant["returnPath"]): Observation {
  const variant: Variant = { kubeProxy: { version, mode }, returnPath };
  const { tcpBeLiberal, invalidDropRule } = decideExpectation(variant);
  const allCells = listMatrixCells(2);
  const actual = allCells.map((cell) =>
    decideKubeProxyVerdict(variant, cell).expected === "pass" ? ("pass" as const) : ("fail" as const),
  );
  const rule = invalidDropRule ? { rule: "INVALID", packets: 0 } : undefined;
  return {
    variant,
    cells: allCells,
    actual,
    filters: [{ node: "n", tcpBeLiberal, invalidDrop: { ipv4: rule } }],
    agentOpen: new Map([["n", !actual.includes("fail")]]),
  };
}

describe("the gate's mutants", () => {
  const observations = [
    asExpected("v1.28.15", "iptables", "notrack"),
    asExpected("v1.28.15", "iptables", "liberal"),
    asExpected("v1.29.15", "iptables", "liberal"),
    asExpected("v1.29.15", "nftables", "notrack"),
    asExpected("v1.31.4", "iptables", "notrack"),
    asExpected("v1.31.4", "nftables", "notrack"),
  ];

  it("the gate accepts what it expects", () => {
    for (const one of observations) assert.deepEqual(findWrongObservations(one), []);
  });

  for (const mutant of GATE_MUTANTS)
    it(`${mutant.title}: seen in one of the variants`, () => {
      assert.ok(observations.some((one) => findWrongObservations(one, mutant).length > 0));
    });
});

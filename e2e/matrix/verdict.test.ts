import assert from "node:assert/strict";
import { cells } from "./cells.ts";
import { gate, type Variant } from "./gate.ts";
import { expectationIn, verdictFor } from "./verdict.ts";

const variant = (environment: string, returnPath: Variant["returnPath"] = "notrack"): Variant => ({
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  ...{ returnPath, environment },
});

describe("what a cell must do in an environment", () => {
  const all = cells(2);

  it("is the gate's verdict in the suite's own cluster", () => {
    for (const returnPath of ["notrack", "none"] as const)
      for (const cell of all)
        assert.deepEqual(verdictFor(variant("default", returnPath), cell), gate(variant("default", returnPath), cell));
  });

  it("is blocked for Services, NodePorts and the API server's Service without kube-proxy, and pass for pods", () => {
    const blocked = all.filter((cell) => verdictFor(variant("no-kube-proxy", "none"), cell).expected === "blocked");
    assert.ok(blocked.length > 0);
    assert.ok(blocked.every(({ to }) => to.kind !== "pod" && to.kind !== "external"));
    assert.equal(blocked.length, all.filter(({ to }) => to.kind !== "pod" && to.kind !== "external").length);
    assert.equal(expectationIn(variant("no-kube-proxy", "none")).invalidDropRule, false);
  });

  it("is blocked for asymmetric cells where a FORWARD rule drops INVALID packets and nothing exempts them", () => {
    const count = (returnPath: Variant["returnPath"]) =>
      all.filter((cell) => verdictFor(variant("forward-invalid-drop", returnPath), cell).expected === "blocked").length;
    assert.deepEqual([count("liberal"), count("none"), count("notrack")], [4, 4, 0]);
  });
});

import assert from "node:assert/strict";
import { dropForeignChains } from "./node-state.ts";

describe("a node's look", () => {
  it("leaves out the chains that kube-proxy and felix write, and keeps what calls them", () => {
    const ruleset = [
      "table ip filter {",
      "chain KUBE-FORWARD {",
      "ct state invalid counter drop",
      "}",
      "chain FORWARD {",
      "type filter hook forward priority filter; policy drop;",
      "counter jump cali-FORWARD",
      "}",
      "chain cali-FORWARD {",
      "counter accept",
      "}",
      "}",
      "table inet interlay {",
      "}",
    ];
    assert.deepEqual(dropForeignChains(ruleset), [
      "table ip filter {",
      "chain FORWARD {",
      "type filter hook forward priority filter; policy drop;",
      "counter jump cali-FORWARD",
      "}",
      "}",
      "table inet interlay {",
      "}",
    ]);
  });
});

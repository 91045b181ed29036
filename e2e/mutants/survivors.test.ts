import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { CLIENT_TESTS, NODE_TESTS, TESTS, findAllowlistReason } from "./survivors.ts";

describe("a mutant that survives", () => {
  it("is allowed if a test removes the same item where it is needed", async () => {
    const text = await readFile(
      new URL("../../plugin/cni/netns/required-items.netns.test.ts", import.meta.url),
      "utf8",
    );
    for (const test of TESTS) assert.ok(text.includes(`line: "${test}"`), `test "${test}" does not exist`);
    const node = await readFile(
      new URL("../../plugin/agent/reconcile/apply-node-table.netns.test.ts", import.meta.url),
      "utf8",
    );
    const clients = await readFile(
      new URL("../../plugin/datapath/apply/reply-mark.netns.test.ts", import.meta.url),
      "utf8",
    );
    for (const test of CLIENT_TESTS) assert.ok(clients.includes(`it("${test}"`), `test "${test}" does not exist`);
    for (const test of NODE_TESTS) assert.ok(node.includes(`it("${test}"`), `test "${test}" does not exist`);
  });

  it("is not excused by what resembles it", () => {
    assert.match(
      findAllowlistReason("underlay eth0: pod: neighbour on veth0 (IPv4)") ?? "",
      /the node pinned on veth0/,
    );
    for (const needed of [
      "underlay eth0: pod: link veth0 up",
      "underlay eth0: pod: route to 10.233.0.0/18 by a gateway dev veth0 table 254 (ipv4)",
      "underlay eth0: pod: nft rule in incoming: came in by veth0",
      "underlay eth0: node: source guard of vethil…",
    ])
      assert.equal(findAllowlistReason(needed), undefined, needed);
  });
});

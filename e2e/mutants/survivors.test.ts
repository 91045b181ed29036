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
      new URL("../../plugin/agent/reconcile/node-table.netns.test.ts", import.meta.url),
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
    assert.equal(findAllowlistReason("underlay eth0: pod: link veth0 up"), undefined);
  });
});

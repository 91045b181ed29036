import assert from "node:assert/strict";
import { splitNodes } from "./access.ts";
import { composeDump } from "./compose.ts";

const NOTHING = { files: new Map<string, string>(), doctor: { nodes: [], failed: [] }, unavailable: [], about: {} };

describe("sysdump", () => {
  it("says in unavailable.txt what the snapshot, the doctor and the access lack", () => {
    const dump = composeDump({
      ...NOTHING,
      files: new Map([["unavailable.txt", "objects/Pod.json: 403\n"]]),
      doctor: { nodes: [], failed: [{ node: "b", error: "ended\nwith 1, token=abcdef" }] },
      unavailable: ["nodes/a: no agent"],
    });
    assert.equal(
      dump.get("unavailable.txt"),
      "nodes/a: no agent\nnodes/b/doctor.json: ended with 1, token=(left out)\nobjects/Pod.json: 403\n",
    );
    assert.deepEqual(JSON.parse(dump.get("sysdump.json") ?? ""), { unavailable: 3 });
  });

  it("has no unavailable.txt if everything could be read", () => {
    const dump = composeDump({ ...NOTHING, files: new Map([["nodes/a/links.txt", "1: lo"]]) });
    assert.deepEqual([...dump.keys()], ["nodes/a/links.txt", "sysdump.json"]);
  });

  it("reads nodes by their agents, and gives a sentence for each node without one", () => {
    assert.deepEqual(splitNodes(["a", "b"], new Map([["b", "interlay-x"]]), "no agent"), {
      reachable: ["b"],
      unreachable: ["nodes/a: no agent"],
    });
  });
});

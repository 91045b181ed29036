import assert from "node:assert/strict";
import { countJoinedNodes } from "./joined-nodes.ts";

const RETRY = { retries: 2, factor: 1, minTimeout: 0 };
/** A kubeconfig that exists. */
const KUBECONFIG = import.meta.filename;

/** Returns a kubectl that fails a number of times before it lists two nodes. */
function createKubectl(failures: number) {
  const calls: (readonly string[])[] = [];
  const run = (argv: readonly string[]): Promise<string> => {
    calls.push(argv);
    return calls.length > failures ? Promise.resolve("node/a\nnode/b\n") : Promise.reject(new Error("Timeout"));
  };
  return { run, calls };
}

describe("countJoinedNodes", () => {
  it("asks an API server again that did not answer in time", async () => {
    const kubectl = createKubectl(2);
    assert.equal(await countJoinedNodes(kubectl, KUBECONFIG, RETRY), 2);
    assert.equal(kubectl.calls.length, 3);
  });

  it("returns 0 if the API server never answers", async () => {
    assert.equal(await countJoinedNodes(createKubectl(3), KUBECONFIG, RETRY), 0);
  });

  it("returns 0 without a kubeconfig, and asks nothing", async () => {
    const kubectl = createKubectl(0);
    assert.equal(await countJoinedNodes(kubectl, `${KUBECONFIG}.missing`, RETRY), 0);
    assert.equal(kubectl.calls.length, 0);
  });
});

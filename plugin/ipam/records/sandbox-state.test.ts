import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { underlayAddress } from "../../kubernetes/objects.ts";
import { findSandboxState } from "./sandbox-state.ts";

describe("findSandboxState", () => {
  const NONE = { listRecords: () => [], find: () => undefined };
  const createObject = (network: string) =>
    underlayAddress.parse({
      metadata: { name: "10.7.200.1", uid: "a" },
      spec: {
        address: "10.7.200.1",
        pool: "p",
        node: "n1",
        containerId: "c",
        ifname: "net1",
        network,
        pod: { namespace: "shop", name: "web-0", uid: "u" },
      },
    });

  it("reports a container of this node without a record as gone", () => {
    assert.equal(findSandboxState(NONE, createObject("underlay"), tmpdir()), "gone");
  });
  it("does not know a container that another IPAM plugin served", () => {
    assert.equal(findSandboxState(NONE, createObject(""), tmpdir()), "unknown");
  });
});

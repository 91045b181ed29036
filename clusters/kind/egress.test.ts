import assert from "node:assert/strict";
import { parseBridge } from "./egress.ts";

describe("parseBridge", () => {
  it("returns the link that Docker names after the network's id", () => {
    assert.equal(parseBridge(JSON.stringify([{ Id: "0123456789abcdef", Options: null }])), "br-0123456789ab");
  });

  it("returns the name that the network was created with", () => {
    const Options = { "com.docker.network.bridge.name": "nodes0" };
    assert.equal(parseBridge(JSON.stringify([{ Id: "0123456789abcdef", Options }])), "nodes0");
  });

  it("throws if the network does not exist", () => {
    assert.throws(() => parseBridge("[]"));
  });
});

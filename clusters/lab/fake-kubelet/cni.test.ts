import assert from "node:assert/strict";
import { convertResult } from "./cni.ts";

describe("a cached result", () => {
  it("is in the configuration's version, whatever the plugin answered in", () => {
    const answered = { cniVersion: "0.3.1", ips: [{ version: "4", address: "10.233.64.1/32" }], dns: {} };
    assert.deepEqual(convertResult("1.0.0", answered), {
      cniVersion: "1.0.0",
      ips: [{ address: "10.233.64.1/32" }],
      dns: {},
    });
  });
});

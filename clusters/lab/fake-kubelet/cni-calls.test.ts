import assert from "node:assert/strict";
import { convertResult } from "./cni-calls.ts";

describe("convertResult", () => {
  it("converts a plugin's result to the configuration's version", () => {
    const result = { cniVersion: "0.3.1", ips: [{ version: "4", address: "10.233.64.1/32" }], dns: {} };
    assert.deepEqual(convertResult("1.0.0", result), {
      cniVersion: "1.0.0",
      ips: [{ address: "10.233.64.1/32" }],
      dns: {},
    });
  });
});

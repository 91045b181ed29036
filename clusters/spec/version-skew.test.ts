import assert from "node:assert/strict";
import { isSkewSupported, parseMinor } from "./version-skew.ts";

describe("version skew", () => {
  it("reads the minor of a version, also of a distribution's", () => {
    assert.equal(parseMinor("v1.28.15"), 28);
    assert.equal(parseMinor("v1.29.5+k3s1"), 29);
    assert.throws(() => parseMinor("latest"), /invalid version "latest"/);
  });

  it("supports a kube-proxy that is not newer than the control plane, and at most three minors older", () => {
    assert.ok(isSkewSupported("v1.29.15", "v1.29.15"));
    assert.ok(isSkewSupported("v1.26.0", "v1.29.15"));
    assert.ok(!isSkewSupported("v1.25.0", "v1.29.15"));
    assert.ok(!isSkewSupported("v1.30.0", "v1.29.15"));
  });
});

import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../provider.ts";
import { parseUnderlay } from "../spec.ts";
import { chooseUnderlay } from "./free-underlay.ts";

const spec = { ...DEFAULT_SPEC, probe: "" };
/** A bridge that a Docker daemon left when it was killed. */
const stale = { range: "10.7.0.0/16", by: "the route by br-9bd2e1550344" };

describe("the underlay of a kind cluster", () => {
  it("is the wanted one where nobody uses it", () => {
    assert.deepEqual(chooseUnderlay(spec, undefined, []), { is: parseUnderlay("10.7.0.0/16") });
  });
  it("is the first free one where somebody does, and says who", () => {
    const used = [stale, { range: "10.17.3.0/24", by: "the route by tun0" }];
    assert.deepEqual(chooseUnderlay(spec, undefined, used), { is: parseUnderlay("10.27.0.0/16"), taken: stale });
  });
  it("stays what the cluster has", () => {
    assert.deepEqual(chooseUnderlay(spec, "10.17.0.0/16 10.17.168.64/26", []), { is: parseUnderlay("10.17.0.0/16") });
    assert.deepEqual(chooseUnderlay(spec, "10.7.0.0/16 10.7.168.64/26", [stale]), { is: parseUnderlay("10.7.0.0/16") });
  });
  it("does not move when it was asked for by name", () => {
    const asked = { ...spec, underlayMayMove: false };
    assert.throws(
      () => chooseUnderlay(asked, undefined, [stale]),
      /10\.7\.0\.0\/16 is in use \(10\.7\.0\.0\/16, the route by br-9bd2e1550344\): name another, as INTERLAY_UNDERLAY=10\.17/,
    );
    // Another network of the cluster's name is remade on the one that was asked for.
    assert.deepEqual(chooseUnderlay(asked, "10.17.0.0/16 10.17.168.64/26", []), { is: parseUnderlay("10.7.0.0/16") });
  });
});

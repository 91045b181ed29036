import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../spec/cluster-spec.ts";
import { parseUnderlay } from "../spec/address-ranges.ts";
import { chooseUnderlay } from "./free-underlay.ts";

const spec = { ...DEFAULT_SPEC, probe: "" };
/** The route of a bridge that a killed Docker daemon has left. */
const stale = { range: "10.7.0.0/16", by: "the route by br-9bd2e1550344" };

describe("chooseUnderlay", () => {
  it("returns the wanted underlay if it is free", () => {
    assert.deepEqual(chooseUnderlay(spec, undefined, []), { underlay: parseUnderlay("10.7.0.0/16") });
  });
  it("returns the first free underlay and the conflict if it is in use", () => {
    const used = [stale, { range: "10.17.3.0/24", by: "the route by tun0" }];
    assert.deepEqual(chooseUnderlay(spec, undefined, used), {
      underlay: parseUnderlay("10.27.0.0/16"),
      conflict: stale,
    });
  });
  it("returns the underlay of the cluster's network", () => {
    assert.deepEqual(chooseUnderlay(spec, "10.17.0.0/16 10.17.168.64/26", []), {
      underlay: parseUnderlay("10.17.0.0/16"),
    });
    assert.deepEqual(chooseUnderlay(spec, "10.7.0.0/16 10.7.168.64/26", [stale]), {
      underlay: parseUnderlay("10.7.0.0/16"),
    });
  });
  it("rejects an underlay in use that the user has named", () => {
    const named = { ...spec, underlayMayMove: false };
    assert.throws(
      () => chooseUnderlay(named, undefined, [stale]),
      /10\.7\.0\.0\/16 is in use \(10\.7\.0\.0\/16, the route by br-9bd2e1550344\): name another, like INTERLAY_UNDERLAY=10\.17/,
    );
    // A network of the cluster on another underlay is replaced.
    assert.deepEqual(chooseUnderlay(named, "10.17.0.0/16 10.17.168.64/26", []), {
      underlay: parseUnderlay("10.7.0.0/16"),
    });
  });
});

import assert from "node:assert/strict";
import { findConflict, parseDockerNetworks, parseRouteRanges } from "./used-ranges.ts";

describe("findConflict", () => {
  it("finds a route in the range", () => {
    const used = parseRouteRanges(
      JSON.stringify([
        { dst: "default", gateway: "192.0.2.1", dev: "eth0" },
        { dst: "10.7.20.0/24", dev: "wg0" },
        { dst: "10.8.0.1", dev: "tun0" },
      ]),
    );
    assert.deepEqual(findConflict("10.7.0.0/16", used), { range: "10.7.20.0/24", by: "the route by wg0" });
    assert.deepEqual(findConflict("10.8.0.0/16", used)?.range, "10.8.0.1/32");
    assert.equal(findConflict("10.9.0.0/16", used), undefined);
  });

  it("ignores a wider range", () => {
    assert.equal(findConflict("10.7.0.0/16", [{ range: "10.0.0.0/8", by: "the route by tun0" }]), undefined);
  });

  it("finds a Docker network without containers", () => {
    const used = parseDockerNetworks(
      JSON.stringify([
        { Name: "host", IPAM: { Config: null } },
        { Name: "six", IPAM: { Config: [{ Subnet: "fd00::/64" }] } },
        { Name: "shop", IPAM: { Config: [{ Subnet: "10.7.0.0/16" }] } },
      ]),
    );
    assert.equal(findConflict("10.7.0.0/16", used)?.by, "the Docker network shop");
  });
});

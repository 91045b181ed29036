import assert from "node:assert/strict";
import { listDocumentedRoutes, parsePlainRoutes } from "./routes.ts";

describe("the documented routes", () => {
  const cidrs = { overlayCidr: "10.233.64.0/18", serviceCidr: "10.233.0.0/18" };

  it("returns the documented routes of an underlay pod", () => {
    assert.deepEqual(listDocumentedRoutes("underlay", "10.7.168.71", "10.7.200.5", cidrs), [
      "10.7.168.71 dev veth0 src 10.7.200.5",
      "10.233.64.0/18 via 10.7.168.71 dev veth0 src 10.7.200.5",
      "10.233.0.0/18 via 10.7.168.71 dev veth0 src 10.7.200.5",
    ]);
  });

  it("the documented routes are found in what `ip -6 route` prints", () => {
    const output =
      "fd00:10:7::168:71 dev veth0 proto static src fd00:10:7::200:5 metric 1024 pref medium\nfd00:10:233::/112 via fd00:10:7::168:71 dev veth0 proto static src fd00:10:7::200:5 metric 1024 pref medium\n";
    assert.deepEqual(parsePlainRoutes(output), [
      "fd00:10:7::168:71 dev veth0 src fd00:10:7::200:5",
      "fd00:10:233::/112 via fd00:10:7::168:71 dev veth0 src fd00:10:7::200:5",
    ]);
  });

  it("the documented routes are found in what `ip route` prints", () => {
    const output =
      "10.7.168.71 dev veth0 scope link src 10.7.200.5 \ndefault via 10.7.0.1 dev eth0 proto static metric 10\n";
    assert.deepEqual(parsePlainRoutes(output), [
      "10.7.168.71 dev veth0 src 10.7.200.5",
      "default via 10.7.0.1 dev eth0",
    ]);
  });
});

import assert from "node:assert/strict";
import { z } from "zod";
import { planStaticRoutes } from "./static-routes.ts";

const NETWORKS = { underlay: "10.7.0.0/16", overlay: "10.233.64.0/18", services: "10.233.0.0/18" };
const plan = (index: number) => planStaticRoutes("by-hand", { address: "10.7.168.71", index }, NETWORKS);
const config = z.object({
  name: z.string(),
  ipam: z.object({ ranges: z.unknown(), routes: z.array(z.object({ dst: z.string(), gw: z.string() })) }),
});

describe("macvlan with static routes by hand", () => {
  it("routes overlay, Services and the node by the node's own macvlan link", () => {
    const { name, ipam } = config.parse(JSON.parse(plan(0).file.content));
    assert.equal(name, "by-hand");
    assert.deepEqual(
      ipam.routes.map(({ dst }) => dst),
      ["10.233.64.0/18", "10.233.0.0/18", "10.7.168.71/32"],
    );
    assert.ok(ipam.routes.every(({ gw }) => gw === "10.7.220.1"));
    assert.ok(plan(0).commands.some((argv) => argv.join(" ") === "ip route add 10.7.220.0/24 dev shim0"));
  });

  it("has a range of its own on every node", () => {
    const { ipam } = config.parse(JSON.parse(plan(1).file.content));
    assert.deepEqual(ipam.ranges, [[{ subnet: "10.7.0.0/16", rangeStart: "10.7.221.10", rangeEnd: "10.7.221.250" }]]);
  });

  it("rejects more nodes than it has ranges for", () => {
    assert.throws(() => plan(20), /at most 20 nodes/);
  });
});

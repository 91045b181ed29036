import assert from "node:assert/strict";
import { planBridgeNetworks } from "./plan-bridge.ts";

describe("a pod network of the reference plugins bridge and host-local", () => {
  const nodes = [
    { name: "a", address: "10.7.168.70", address6: "fd00:10:7::168:70", podCidrs: ["10.233.64.0/24", "fd00:1::/80"] },
    { name: "b", address: "10.7.168.71", address6: "fd00:10:7::168:71", podCidrs: ["10.233.65.0/24", "fd00:2::/80"] },
  ];
  const [first] = planBridgeNetworks(nodes, ["10.233.64.0/18", "fd00::/64"]);

  it("routes the other nodes' podCIDRs by their addresses, in both families", () => {
    assert.deepEqual(first?.commands.slice(0, 2), [
      ["ip", "route", "replace", "10.233.65.0/24", "via", "10.7.168.71"],
      ["ip", "route", "replace", "fd00:2::/80", "via", "fd00:10:7::168:71"],
    ]);
  });

  it("masquerades what leaves the pod network", () => {
    assert.deepEqual(
      first?.commands.slice(2).map((argv) => argv.join(" ")),
      [
        "iptables -w -t nat -A POSTROUTING -s 10.233.64.0/18 ! -d 10.233.64.0/18 -j MASQUERADE",
        "ip6tables -w -t nat -A POSTROUTING -s fd00::/64 ! -d fd00::/64 -j MASQUERADE",
      ],
    );
  });

  it("gives pods addresses of their node's own podCIDRs", () => {
    const { plugins } = JSON.parse(first?.conflist ?? "") as { plugins: readonly { ipam?: { ranges: unknown } }[] };
    assert.deepEqual(plugins[0]?.ipam?.ranges, [[{ subnet: "10.233.64.0/24" }], [{ subnet: "fd00:1::/80" }]]);
  });
});

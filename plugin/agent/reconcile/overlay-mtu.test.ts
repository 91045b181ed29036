import assert from "node:assert/strict";
import { findSmallestTunnelMtu } from "./overlay-mtu.ts";

const link = (kind: string | undefined, mtu: number, up = true) => ({ kind, mtu, up });

describe("the overlay's MTU", () => {
  for (const [title, links, expected] of [
    ["is that of the tunnel", [link(undefined, 1500), link("vxlan", 1450)], 1450],
    ["is the smallest of two tunnels", [link("vxlan", 1450), link("ipip", 1480)], 1450],
    ["is not that of a tunnel that is down", [link("vxlan", 1450, false), link("wireguard", 1420)], 1420],
    ["is unknown where routes alone lead to other nodes", [link(undefined, 1500), link("veth", 1400)], undefined],
  ] as const)
    it(title, () => {
      assert.equal(findSmallestTunnelMtu(links), expected);
    });
});

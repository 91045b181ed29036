import assert from "node:assert/strict";
import { chooseNodeLinks, type OverlayRoute } from "./overlay-routes.ts";

const POD: OverlayRoute = { link: "cali1", kind: "veth", gateway: false };

describe("chooseNodeLinks", () => {
  const ROWS: readonly (readonly [title: string, routes: readonly OverlayRoute[], expected: readonly string[]])[] = [
    ["names the uplink if no route exists", [], ["eth0"]],
    [
      "names a VXLAN tunnel whose routes have a gateway (Calico)",
      [POD, { link: "vxlan.calico", kind: "vxlan", gateway: true }],
      ["eth0", "vxlan.calico"],
    ],
    [
      "names a WireGuard link, whose routes have no gateway",
      [{ link: "wireguard.cali", kind: "wireguard", gateway: false }],
      ["eth0", "wireguard.cali"],
    ],
    [
      "names a second physical link with routes by a gateway (host-gw)",
      [{ link: "eth1", kind: undefined, gateway: true }],
      ["eth0", "eth1"],
    ],
    [
      "leaves out pods' links of any name and the bridge of this node's pods",
      [POD, { link: "lxc1", kind: "veth", gateway: false }, { link: "cni0", kind: "bridge", gateway: false }],
      ["eth0"],
    ],
    ["names the uplink once", [{ link: "eth0", kind: "veth", gateway: true }], ["eth0"]],
  ];
  for (const [title, routes, expected] of ROWS)
    it(title, () => {
      assert.deepEqual(chooseNodeLinks(routes, "eth0"), expected);
    });
});

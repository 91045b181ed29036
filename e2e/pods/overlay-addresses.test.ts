import assert from "node:assert/strict";
import { parseOverlayAddresses } from "./overlay-addresses.ts";

const link = (ifname: string, kind: string | undefined, ...addresses: readonly (readonly [string, string])[]) => ({
  ifname,
  ...(kind === undefined ? {} : { linkinfo: { info_kind: kind } }),
  addr_info: addresses.map(([local, scope]) => ({ local, scope })),
});
const OVERLAY = ["10.233.64.0/18", "fd00:10:233:64::/64"];

describe("the overlay addresses of a node", () => {
  it("the overlay addresses of a node are Calico's tunnel addresses, one a family", () => {
    const listing = JSON.stringify([
      link("lo", undefined, ["127.0.0.1", "host"]),
      link("eth0", "veth", ["10.7.168.71", "global"]),
      link("vxlan.calico", "vxlan", ["10.233.100.0", "global"], ["fe80::1", "link"]),
      link("vxlan-v6.calico", "vxlan", ["fd00:10:233:64::1", "global"]),
      link("cali1", "veth", ["fe80::ecee", "link"]),
    ]);
    assert.deepEqual(parseOverlayAddresses(listing, OVERLAY), {
      tunnel: { ipv4: "10.233.100.0", ipv6: "fd00:10:233:64::1" },
      bridge: {},
      first: { ipv4: "10.7.168.71", ipv6: "fd00:10:233:64::1" },
    });
  });

  it("the overlay addresses of a node are flannel's tunnel address and that of the pods' bridge", () => {
    const listing = JSON.stringify([
      link("flannel.1", "vxlan", ["10.233.65.0", "global"]),
      link("cni0", "bridge", ["10.233.65.1", "global"]),
      link("docker0", "bridge", ["172.17.0.1", "global"]),
    ]);
    assert.deepEqual(parseOverlayAddresses(listing, OVERLAY), {
      tunnel: { ipv4: "10.233.65.0" },
      bridge: { ipv4: "10.233.65.1" },
      first: { ipv4: "10.233.65.0" },
    });
  });

  it("the overlay addresses of a node are empty without a tunnel of the overlay", () => {
    assert.deepEqual(
      parseOverlayAddresses(JSON.stringify([link("eth0", "veth", ["10.7.168.71", "global"]), {}]), OVERLAY),
      {
        tunnel: {},
        bridge: {},
        first: { ipv4: "10.7.168.71" },
      },
    );
  });

  it("the overlay addresses of a node have the address of the first link first, which masquerade chooses on a link without one", () => {
    const listing = JSON.stringify([
      link("eth0", "veth", ["192.168.50.71", "global"]),
      link("eth1", "veth", ["10.7.168.71", "global"]),
    ]);
    assert.deepEqual(parseOverlayAddresses(listing, OVERLAY).first, { ipv4: "192.168.50.71" });
  });
});

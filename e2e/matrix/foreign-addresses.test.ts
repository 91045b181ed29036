import assert from "node:assert/strict";
import { findForeignAddresses } from "./foreign-addresses.ts";

const NETWORKS = { overlayCidr: "10.233.64.0/18", underlayCidr: "10.7.0.0/16" };
const pod = (name: string, main: string, net1?: string) => ({
  name,
  node: "n",
  addresses: { main: { ipv4: main }, net1: net1 === undefined ? {} : { ipv4: net1 } },
});

describe("the networks that pods' addresses belong to", () => {
  it("the networks that pods' addresses belong to are the overlay for a PodIP of Calico, the underlay for one of macvlan and for net1", () => {
    const right = [
      pod("overlay-1-a", "10.233.64.9"),
      pod("underlay-1-a", "10.7.200.1"),
      pod("multi-nic-1-b", "10.233.70.2", "10.7.200.2"),
      pod("node-1", "10.7.168.71"),
    ];
    assert.deepEqual(findForeignAddresses(right, NETWORKS), []);
  });

  it("the networks that pods' addresses belong to are named where an address is of the other one", () => {
    assert.deepEqual(findForeignAddresses([pod("multi-nic-1-a", "10.7.200.2", "10.233.64.9")], NETWORKS), [
      "multi-nic-1-a has 10.7.200.2 on main, which is outside of 10.233.64.0/18",
      "multi-nic-1-a has 10.233.64.9 on net1, which is outside of 10.7.0.0/16",
    ]);
  });

  it("the networks that pods' addresses belong to are not judged where they are not known", () => {
    assert.deepEqual(
      findForeignAddresses([pod("overlay-1-a", "192.0.2.1")], { overlayCidr: "", underlayCidr: "" }),
      [],
    );
  });
});

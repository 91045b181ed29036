import assert from "node:assert/strict";
import { setDefaultPodType } from "./multus-config.ts";

const ORIGINAL = JSON.stringify({
  type: "multus",
  clusterNetwork: "/etc/cni/multus/net.d",
  multusNamespace: "kube-system",
});
const read = (podType: Parameters<typeof setDefaultPodType>[1]): unknown =>
  JSON.parse(setDefaultPodType(ORIGINAL, podType));

describe("setDefaultPodType", () => {
  it("keeps the configuration for overlay pods", () => {
    assert.deepEqual(read("overlay"), JSON.parse(ORIGINAL));
  });

  it("makes the underlay network the cluster network for underlay pods", () => {
    assert.deepEqual(read("underlay"), {
      type: "multus",
      clusterNetwork: "underlay",
      multusNamespace: "interlay-system",
    });
  });

  it("adds the underlay network to the overlay for multi-NIC pods, but not for those of the system", () => {
    assert.deepEqual(read("multi-nic"), {
      type: "multus",
      clusterNetwork: "/etc/cni/multus/net.d",
      multusNamespace: "interlay-system",
      defaultNetworks: ["underlay"],
      systemNamespaces: ["kube-system", "interlay-system"],
    });
  });

  it("throws on a configuration that is not a JSON object", () => {
    assert.throws(() => setDefaultPodType("[]", "overlay"));
  });
});

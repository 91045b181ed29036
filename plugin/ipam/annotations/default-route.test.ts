import assert from "node:assert/strict";
import { DEFAULT_ROUTE_ANNOTATION, parseDefaultRouteNic, listPodNics } from "./default-route.ts";

const NETWORKS = "k8s.v1.cni.cncf.io/networks";

describe("the annotation for the default route's NIC", () => {
  for (const [networks, nics] of [
    ["", ["eth0"]],
    ["kube-system/underlay", ["eth0", "net1"]],
    ["a, b@lan0,c", ["eth0", "net1", "lan0", "net3"]],
    ['[{"name":"a","interface":"lan0"},{"name":"b"}]', ["eth0", "lan0", "net2"]],
    ["[broken", ["eth0"]],
  ] as const)
    it(`knows the NICs of "${networks}"`, () => {
      assert.deepEqual(listPodNics({ [NETWORKS]: networks }), nics);
    });

  it("should reject a NIC that the pod does not have", () => {
    const annotations = { [NETWORKS]: "underlay", [DEFAULT_ROUTE_ANNOTATION]: "net1" };
    assert.equal(parseDefaultRouteNic(annotations, "a/b"), "net1");
    assert.equal(parseDefaultRouteNic({}, "a/b"), undefined);
    assert.throws(
      () => parseDefaultRouteNic({ ...annotations, [DEFAULT_ROUTE_ANNOTATION]: "net5" }, "a/b"),
      /"net5" of pod a\/b: the pod's NICs are eth0, net1/,
    );
  });
});

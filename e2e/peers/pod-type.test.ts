import assert from "node:assert/strict";
import { detectPodType } from "./pod-type.ts";

const SPEC = { overlayCidr: "10.233.64.0/18", underlayCidr: "10.7.0.0/16" };
const createPod = (podIP: string | undefined, ...links: readonly string[]) => ({
  metadata: {
    annotations: {
      "k8s.v1.cni.cncf.io/network-status": JSON.stringify(links.map((name) => ({ name: "n", interface: name }))),
    },
  },
  status: podIP === undefined ? {} : { podIP },
});

describe("detectPodType", () => {
  it("detects the three types by address and links", () => {
    assert.equal(detectPodType(createPod("10.233.65.1", "eth0"), SPEC), "overlay");
    assert.equal(detectPodType(createPod("10.7.200.1", "eth0"), SPEC), "underlay");
    assert.equal(detectPodType(createPod("10.233.65.1", "eth0", "net1"), SPEC), "multi-nic");
  });

  it("detects an overlay pod without Multus' annotation", () => {
    assert.equal(detectPodType({ metadata: {}, status: { podIP: "10.233.65.1" } }, SPEC), "overlay");
  });

  it("returns undefined for a pod without an address, or with one of another network", () => {
    assert.equal(detectPodType(createPod(undefined), SPEC), undefined);
    assert.equal(detectPodType(createPod("192.0.2.1"), SPEC), undefined);
  });
});

import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { listNotRunning } from "./node-pods.ts";

const createPod = (name: string, phase: string, reason?: string): V1Pod => ({
  metadata: { name },
  status: {
    phase,
    ...(reason === undefined ? {} : { containerStatuses: [{ ...CONTAINER, state: { waiting: { reason } } }] }),
  },
});
const CONTAINER = { name: "tools", image: "", imageID: "", ready: false, restartCount: 0 };

describe("the pods in the nodes' network", () => {
  it("the pods in the nodes' network are waited for on the chosen nodes only", () => {
    const pods = [createPod("w1", "Running"), createPod("w2", "Running"), createPod("w9", "Pending")];
    assert.deepEqual(listNotRunning(pods, ["w1", "w2"]), []);
  });

  it("the pods in the nodes' network are named with the reason why they do not run", () => {
    const pods = [createPod("w1", "Pending", "ImagePullBackOff"), createPod("w2", "Pending")];
    assert.deepEqual(listNotRunning(pods, ["w1", "w2", "w3"]), [
      "w1 (ImagePullBackOff)",
      "w2 (no reason reported)",
      "w3 (deleted)",
    ]);
  });

  it("of another run's nodes do not replace a missing one", () => {
    assert.deepEqual(listNotRunning([createPod("w9", "Running")], ["w1"]), ["w1 (deleted)"]);
  });
});

import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { type ContainerState, type PodProgress, buildPodStatus } from "./pod-status.ts";

const NOW = new Date(1000);
const pod: V1Pod = { spec: { containers: [{ name: "c", image: "probe" }] } };
const running: ContainerState = { state: "running", since: NOW, restarts: 0, ready: true };
const known = (container: Partial<ContainerState> | undefined, initialized = true): PodProgress => ({
  hostIPs: ["10.7.168.71"],
  podIPs: ["10.233.64.1"],
  started: NOW,
  initialized,
  init: new Map(),
  containers: new Map(container === undefined ? [] : [["c", { ...running, ...container }]]),
});

describe("a pod's status", () => {
  const cases = [
    ["its container is not there yet", known(undefined), "Pending", "False"],
    ["init containers have not ended", known({}, false), "Pending", "False"],
    ["it runs, and its probe has not been answered", known({ ready: false }), "Running", "False"],
    ["it runs and is ready", known({}), "Running", "True"],
    ["it ended well", known({ state: "ended", exitCode: 0, ready: false }), "Succeeded", "False"],
    ["it ended badly", known({ state: "ended", exitCode: 1, ready: false }), "Failed", "False"],
  ] as const;
  for (const [title, state, phase, ready] of cases)
    it(title, () => {
      const status = buildPodStatus(pod, state, NOW);
      assert.equal(status.phase, phase);
      assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, ready);
    });

  it("a condition that stays keeps its time", () => {
    const first = buildPodStatus(pod, known({}), NOW);
    const second = buildPodStatus(
      { spec: { containers: [{ name: "c", image: "probe" }] }, status: first },
      known({}),
      new Date(5000),
    );
    assert.deepEqual(second.conditions, first.conditions);
  });
});

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

describe("buildPodStatus", () => {
  const cases = [
    ["is Pending before its container exists", known(undefined), "Pending", "False"],
    ["is Pending while init containers run", known({}, false), "Pending", "False"],
    ["is Running and not Ready before its probe succeeds", known({ ready: false }), "Running", "False"],
    ["is Running and Ready when its container is ready", known({}), "Running", "True"],
    ["is Succeeded after exit code 0", known({ state: "ended", exitCode: 0, ready: false }), "Succeeded", "False"],
    ["is Failed after another exit code", known({ state: "ended", exitCode: 1, ready: false }), "Failed", "False"],
  ] as const;
  for (const [title, state, phase, ready] of cases)
    it(title, () => {
      const status = buildPodStatus(pod, state, NOW);
      assert.equal(status.phase, phase);
      assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, ready);
    });

  it("keeps the time of a condition that does not change", () => {
    const first = buildPodStatus(pod, known({}), NOW);
    const second = buildPodStatus(
      { spec: { containers: [{ name: "c", image: "probe" }] }, status: first },
      known({}),
      new Date(5000),
    );
    assert.deepEqual(second.conditions, first.conditions);
  });
});

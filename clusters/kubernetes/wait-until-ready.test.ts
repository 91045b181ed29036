import assert from "node:assert/strict";
import { findUnreadyPods } from "./wait-until-ready.ts";

const pod = (name: string, status: unknown) => ({
  metadata: { namespace: "kube-system", name },
  spec: { nodeName: "worker" },
  status,
});

describe("findUnreadyPods", () => {
  it("returns pods that are not ready, with the last container's reason", () => {
    const list = JSON.stringify({
      items: [
        pod("well", { conditions: [{ type: "Ready", status: "True" }] }),
        pod("loops", {
          conditions: [{ type: "Ready", status: "False" }],
          initContainerStatuses: [{ state: { terminated: {} } }],
          containerStatuses: [{ state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } } }],
        }),
        pod("slow", { containerStatuses: [{ state: { running: {} } }] }),
      ],
    });
    assert.deepEqual(
      findUnreadyPods(list).map(({ name, reason }) => [name, reason]),
      [
        ["loops", "CrashLoopBackOff: back-off 40s"],
        ["slow", "running, but not ready"],
      ],
    );
  });
});

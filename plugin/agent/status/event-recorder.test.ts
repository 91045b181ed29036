import assert from "node:assert/strict";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { EventRecorder } from "./event-recorder.ts";

const POD = { namespace: "shop", name: "db-0", uid: "u" };

describe("EventRecorder", () => {
  let stored: Map<string, { readonly message: string; readonly count: number }>;
  const seconds = (count: number) => new Date(count * 1000);
  const createRecorder = () => {
    const kube = {
      create: (_resource: unknown, event: { metadata: { name: string }; message: string; count: number }) => {
        if (stored.has(event.metadata.name)) return Promise.reject(new KubeError(409, "exists"));
        stored.set(event.metadata.name, { message: event.message, count: event.count });
        return Promise.resolve();
      },
      mergePatch: (_resource: unknown, name: string, patch: { message: string; count: number }) => {
        stored.set(name, { message: patch.message, count: patch.count });
        return Promise.resolve();
      },
    };
    return new EventRecorder(kube as unknown as KubeClient, "n1");
  };
  beforeEach(() => {
    stored = new Map();
  });

  it("writes one Event about a pod that waits, with its last message and the number of attempts", async () => {
    const events = createRecorder();
    await events.warnOnce(POD, "NoUnderlayAddress", "pool a is full", seconds(0));
    await events.warnOnce(POD, "NoUnderlayAddress", "pool a is full", seconds(20));
    await events.warnOnce(POD, "NoUnderlayAddress", "pools a and b are full", seconds(61));
    assert.deepEqual([...stored.values()], [{ message: "pools a and b are full", count: 3 }]);
  });
  it("writes one Event for each address of a pod that another host uses", async () => {
    const events = createRecorder();
    for (const address of ["10.7.200.1", "10.7.200.2", "10.7.200.1"])
      await events.warn(POD, "AddressConflict", `${address} is in use`, seconds(0));
    assert.equal(stored.size, 2);
  });
});

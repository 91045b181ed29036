import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readPermanentState } from "../../testing/node.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Whether nobody holds the lock on a network namespace. */
const free = (netns: string): boolean => spawnSync("flock", ["--nonblock", netns, "true"]).status === 0;

describe("a pod that the agent is repairing", () => {
  const net = useTestNet();

  it("DEL should wait for the end of a repair", async () => {
    const node = net.node("n1", "10.7.168.71");
    const pod = net.pod("u");
    const untouched = readPermanentState(node);
    net.attach(node, pod, "eth0", "10.7.200.1/16");
    assert.ok(free(pod.netns), "ADD has ended, but the pod's network namespace is still locked");

    spawn("flock", [pod.netns, "sleep", "1"], { stdio: "ignore" });
    while (free(pod.netns)) await new Promise((resolve) => setTimeout(resolve, 10));
    net.call("interlay", "DEL", node, pod, "eth0", {});

    assert.ok(free(pod.netns), "DEL has not waited for who was writing the pod's state");
    assert.deepEqual(readPermanentState(node), untouched);
  });
});

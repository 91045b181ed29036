import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import type { TestPod } from "../../testing/invocation.ts";
import { execInNetns } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const both = (host: number) => [
  { address: `10.7.200.${host}/16`, gateway: "10.7.168.72" },
  { address: `fd07::200:${host}/64`, gateway: "fd07::72" },
];

describe("GC, cniVersion 1.1.0", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  /** GC is about no pod; the call has the words for one all the same. */
  const missingPod: TestPod = { namespace: "none", netns: "/var/run/netns/none", containerId: "none" };

  const gc = (name: string, config: Readonly<Record<string, unknown>>) => {
    const result = net.tryCall("interlay", "GC", node, missingPod, "eth0", { cniVersion: "1.1.0", name, ...config });
    assert.deepEqual(result, { status: 0, json: {} });
  };
  const records = () => readdirSync(join(node.stateDirectory, "attachments")).sort();

  // libcni 1.2 says the first alone, the specification until 2024 the second; libcni 1.3 says both
  for (const key of ["cni.dev/valid-attachments", "cni.dev/attachments"])
    it(`keeps what ${key} names, of underlay and multi-NIC pods in both families, and removes the rest`, () => {
      const [kept, lost] = [net.pod("kept"), net.pod("lost")];
      net.overlay(node, kept, "10.233.64.5", "fd33:64::5");
      net.attachAll(node, kept, "net1", both(1));
      net.attachAll(node, kept, "net2", both(2));
      const expected = { node: readPermanentState(node), records: records() };
      net.attachAll(node, lost, "eth0", both(3));
      net.attachAll(node, lost, "net1", both(4));
      const valid = ["net1", "net2"].map((ifname) => ({ containerID: kept.containerId, ifname }));
      gc("underlay", { [key]: valid });
      assert.deepEqual({ node: readPermanentState(node), records: records() }, expected);
      for (const ifname of ["net1", "net2"])
        assert.deepEqual(net.call("interlay", "CHECK", node, kept, ifname, {}), {});
      assert.equal(splitLines(execInNetns(lost.namespace, "ip", "rule")).length, 3, "rules are left in the stale pod");
    });

  it("should not remove attachments of other networks", () => {
    const [mine, others] = [net.pod("mine"), net.pod("others")];
    net.attachAll(node, others, "eth0", both(1), { name: "other" });
    const expected = readPermanentState(node);
    net.attachAll(node, mine, "eth0", both(2));
    gc("underlay", { "cni.dev/valid-attachments": [] });
    assert.deepEqual(readPermanentState(node), expected);
    assert.deepEqual(records(), [`${others.containerId}-eth0.json`]);
    gc("other", { "cni.dev/valid-attachments": [] });
    assert.deepEqual(records(), []);
  });

  it("should remove the state of a pod whose namespace was deleted", () => {
    const initial = readPermanentState(node);
    const pod = net.pod("gone");
    net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
    net.attachAll(node, pod, "net1", both(1));
    net.removePod(pod);
    gc("underlay", { "cni.dev/valid-attachments": [] });
    assert.deepEqual(records(), []);
    assert.deepEqual(
      readPermanentState(node).filter((line) => !initial.includes(line)),
      [],
    );
  });
});

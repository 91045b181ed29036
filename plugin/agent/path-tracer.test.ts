import assert from "node:assert/strict";
import { buildCluster, type ClusterChange } from "../testing/trace-topology.ts";
import { podObject } from "../kubernetes/objects.ts";
import type { TraceSnapshot } from "../trace/snapshot.ts";
import { createAgentStatus } from "./status/agent-status.ts";
import { PathTracer } from "./path-tracer.ts";
import { readProcessorTime } from "./processor-time.ts";

const PODS = [
  ["pod-1", "10.244.1.2"],
  ["twin-1", "10.244.1.3"],
].map(([name, ip]) =>
  podObject.parse({ metadata: { name, namespace: "shop" }, spec: {}, status: { phase: "Running", podIPs: [{ ip }] } }),
);

/** The first node of the topology with its overlay pods. */
function collectNode(change: ClusterChange = {}): TraceSnapshot {
  const { namespaces, ...rest } = buildCluster(change);
  const own = namespaces.filter(({ id }) => ["node-1", "pod-1", "twin-1"].includes(id));
  return { ...rest, namespaces: own.map((one) => (one.kind === "pod" ? { ...one, node: "node-1" } : one)) };
}

const REJECT = ["*filter", ":FORWARD ACCEPT [0:0]", "-A FORWARD -d 10.244.1.3/32 -j DROP", "COMMIT", ""].join("\n");
const BROKEN: ClusterChange = { "node-1": { more: { iptables: REJECT } } };

function makeTracer(snapshots: readonly (ClusterChange | Error)[], passMs = 0) {
  const state = createAgentStatus(undefined);
  const times = snapshots.flatMap((_, index) => [index * 1000, index * 1000 + passMs]);
  const left = [...snapshots];
  let changes = 0;
  const view = { pods: { values: () => PODS }, services: { values: () => [] } };
  const tracer = new PathTracer("node-1", view as never, state, () => changes++, {
    collect: () => {
      const next = left.shift() ?? {};
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(collectNode(next));
    },
    readTime: () => times.shift() ?? 0,
  });
  return { tracer, state, countChanges: () => changes };
}

describe("the condition PathsReady", () => {
  it("is True if every path of the node's pods passes", async () => {
    const { tracer, state } = makeTracer([{}]);
    assert.equal(state.paths.status, "Unknown");
    await tracer.updatePaths();
    assert.deepEqual([state.paths.status, state.paths.reason], ["True", "Traced"]);
    assert.match(state.paths.message, /^2 paths of pods of this node were traced\.$/);
  });

  it("is False with the path, what drops it and the remedy, and True again afterwards", async () => {
    const { tracer, state, countChanges } = makeTracer([BROKEN, BROKEN, {}]);
    await tracer.updatePaths();
    assert.deepEqual([state.paths.status, state.paths.reason], ["False", "PacketsLost"]);
    assert.match(
      state.paths.message,
      /^icmp from shop\/pod-1 to shop\/twin-1 \(10\.244\.1\.3\) fails: ip filter FORWARD: .*-j DROP.* Find out which software/,
    );
    await tracer.updatePaths();
    await tracer.updatePaths();
    assert.equal(state.paths.status, "True");
    assert.equal(countChanges(), 2);
  });

  it("is Unknown with the error if the kernel's state cannot be read", async () => {
    const { tracer, state } = makeTracer([new Error("`nft` ended with 1")]);
    await tracer.updatePaths();
    assert.deepEqual([state.paths.status, state.paths.reason], ["Unknown", "NotRead"]);
    assert.match(state.paths.message, /`nft` ended with 1/);
  });

  it("is renewed once a minute, and less often where passes would cost 0.2 % of a processor", async () => {
    for (const [passMs, period] of [
      [50, 60_000],
      [400, 250_000],
    ] as const) {
      const { tracer } = makeTracer([{}], passMs);
      await tracer.updatePaths();
      assert.equal(tracer.getPeriod(), period);
    }
  });

  it("is renewed sooner while it is not True, at 2 % of a processor", async () => {
    for (const [passMs, period] of [
      [50, 10_000],
      [400, 20_000],
    ] as const) {
      const { tracer } = makeTracer([BROKEN], passMs);
      await tracer.updatePaths();
      assert.equal(tracer.getPeriod(), period);
    }
  });
});

describe("processor time of traces", () => {
  it("is the sum of all passes, also of those that could not read the state", async () => {
    const { tracer, state } = makeTracer([{}, new Error("`nft` ended with 1"), {}], 40);
    for (let pass = 0; pass < 3; pass += 1) await tracer.updatePaths();
    assert.equal(state.pathsProcessorMs, 120);
  });
});

describe("processor time of a process", () => {
  it("adds its own and its children's, whatever its name is", () => {
    const stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 200 0 0 11 12 13 14 20 0 1 0 100";
    assert.equal(readProcessorTime(stat), 500);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { AgentMetrics } from "./agent-metrics.ts";
import { ClusterCache } from "../discovery/cluster-cache.ts";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { createAgentStatus } from "./agent-status.ts";

const dashboard = z.object({
  templating: z.object({ list: z.array(z.object({ query: z.string() })) }),
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

/** Everything the agent can tell, with each kind of thing once. */
function allMetrics(): string {
  const kube = new KubeClient(new KubeConfig());
  const view = new ClusterCache(kube, "node");
  const spec = { subnet: "192.0.2.0/24", ranges: ["192.0.2.64/26"] };
  view.underlayPools.applyLocalWrite({ metadata: { name: "pool", uid: "1", resourceVersion: "1" }, spec });
  const metrics = new AgentMetrics();
  metrics.recordCniCall({ plugin: "interlay", command: "ADD", mode: "agent", milliseconds: 5 });
  metrics.recordIpamRequest("ADD", 0.1, true);
  metrics.countRepairs(["a/b eth0: node: route x"]);
  metrics.recordRepairPass(0.1);
  metrics.countReclaimed(1);
  const state = createAgentStatus(undefined);
  state.kubeProxy = { ...state.kubeProxy, invalidDrops: 1 };
  const condition = { type: "FactsReady", status: "True", reason: "", message: "", lastTransitionTime: "" } as const;
  return metrics.renderText(state, [condition], view, kube);
}

describe("Grafana's dashboard", () => {
  const types = new Map(
    [...allMetrics().matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const names = [...types].flatMap(([name, type]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name],
  );
  const { panels, templating } = dashboard.parse(
    JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "deploy", "dashboard.json"), "utf8")),
  );
  const asked = [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), templating.list[1]?.query ?? ""];
  const namesIn = (text: string): readonly string[] => text.match(/\b(?:interlay|process)_\w+/g) ?? [];

  it("Grafana's dashboard should use only metrics of the agent", () => {
    assert.ok(names.length > 15, names.join());
    for (const text of asked) {
      assert.ok(namesIn(text).length > 0, text);
      for (const name of namesIn(text)) assert.ok(names.includes(name), `${name} in ${text}`);
    }
  });

  it("Grafana's dashboard should show all metrics of the agent", () => {
    const shown = asked.flatMap(namesIn);
    for (const name of types.keys())
      assert.ok(
        shown.some((one) => one.startsWith(name)),
        name,
      );
  });

  it("Grafana's dashboard should take rates of counters only", () => {
    for (const text of asked)
      for (const [, name = ""] of text.matchAll(/(?:rate|increase)\((\w+)/g))
        assert.match(types.get(name.replace(/_(?:bucket|sum|count)$/, "")) ?? "", /counter|histogram/, text);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { ControllerMetrics } from "./controller-metrics.ts";
import { underlayPool } from "../kubernetes/objects.ts";
import { VERSION } from "../version/version.ts";
import { AgentMetrics } from "../agent/status/agent-metrics.ts";
import { createAgentStatus } from "../agent/status/agent-status.ts";
import type { MetricsSource } from "../agent/status/observed-metrics.ts";

const DEPLOY = join(import.meta.dirname, "..", "deploy");
const dashboard = z.object({
  templating: z.object({ list: z.array(z.object({ query: z.string() })) }),
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

/** An agent's state with each kind of object once. */
function createSource(): MetricsSource {
  const state = createAgentStatus(undefined);
  state.kubeProxy = { ...state.kubeProxy, version: "v1.29.15", mode: "iptables", invalidDrops: 1 };
  state.ruleCounters = new Map([["source-guard-ipv4", 3]]);
  const condition = { type: "FactsReady", status: "True", reason: "", message: "", lastTransitionTime: "" } as const;
  return { state, conditions: [condition], waitingPods: 2, requests: { requests: 2, writes: 1 } };
}

function createMetrics(source: MetricsSource): AgentMetrics {
  const metrics = new AgentMetrics(() => source);
  metrics.recordCniCall({ plugin: "interlay", command: "ADD", mode: "agent", milliseconds: 5 });
  metrics.recordIpamRequest("ADD", 0.1, true);
  metrics.countRepairs(["a/b eth0: node: route x"]);
  metrics.recordRepairPass("all", 0.1);
  metrics.countReclaimed(1);
  return metrics;
}

describe("the agent's metrics", () => {
  it("are in Prometheus' text format, with cumulative buckets", async () => {
    const text = await createMetrics(createSource()).renderText();
    for (const line of [
      'interlay_drift_repaired_total{kind="route"} 1',
      'interlay_cni_duration_seconds_bucket{le="0.0025",plugin="interlay",command="ADD",mode="agent",result="ok"} 0',
      'interlay_cni_duration_seconds_bucket{le="0.005",plugin="interlay",command="ADD",mode="agent",result="ok"} 1',
      `interlay_build_info{version="${VERSION}",architecture="${process.arch === "x64" ? "amd64" : process.arch}"} 1`,
      'interlay_condition{type="FactsReady",status="true"} 1',
      'interlay_condition{type="FactsReady",status="false"} 0',
      "interlay_waiting_pods 2",
      'interlay_node_rule_packets_total{rule="source-guard-ipv4"} 3',
    ])
      assert.ok(text.includes(`\n${line}\n`), `${line} is not in\n${text}`);
  });

  it("have no series of an earlier kube-proxy or condition", async () => {
    const source = createSource();
    const metrics = createMetrics(source);
    await metrics.renderText();
    source.state.kubeProxy = { ...source.state.kubeProxy, version: "v1.30.0" };
    source.state.ruleCounters = new Map();
    const text = await metrics.renderText();
    assert.match(text, /^interlay_kube_proxy_info\{version="v1.30.0",mode="iptables"\} 1$/m);
    assert.doesNotMatch(text, /v1\.29\.15|rule="/);
  });

  it("do not count up what the kernel counts", async () => {
    const metrics = createMetrics(createSource());
    await metrics.renderText();
    assert.match(await metrics.renderText(), /^interlay_kube_proxy_invalid_drops_total 1$/m);
  });
});

/** A controller's metrics; the leader has one pool. */
function createControllerMetrics(pools: readonly string[] | undefined): ControllerMetrics {
  const spec = { subnet: "192.0.2.0/24", ranges: ["192.0.2.64/26"] };
  const objects = pools?.map((name) => underlayPool.parse({ metadata: { name }, spec }));
  const cache =
    objects === undefined
      ? undefined
      : ({
          underlayPools: { values: () => objects },
          underlayAddresses: { values: () => [] },
        } as unknown as ReturnType<ConstructorParameters<typeof ControllerMetrics>[0]>["cache"]);
  return new ControllerMetrics(() => ({ cache, requests: { requests: 2, writes: 1 } }));
}

describe("the controller's metrics", () => {
  it("have the addresses of each pool", async () => {
    const text = await createControllerMetrics(["pool"]).renderText();
    assert.match(text, /^interlay_leader 1$/m);
    assert.match(text, /^interlay_pool_addresses\{pool="pool",state="free"\} 64$/m);
  });

  it("of pools are exported by the leader only", async () => {
    const text = await createControllerMetrics(undefined).renderText();
    assert.match(text, /^interlay_leader 0$/m);
    assert.doesNotMatch(text, /^interlay_pool/m);
  });
});

describe("what reads the metrics", () => {
  const { panels, templating } = dashboard.parse(
    JSON.parse(readFileSync(join(DEPLOY, "chart", "dashboards", "interlay.json"), "utf8")),
  );
  const queries = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    templating.list[1]?.query ?? "",
  ];
  const listNames = (text: string): readonly string[] => text.match(/\b(?:interlay|process)_\w+/g) ?? [];
  const types = new Map<string, string>();
  const names = new Set<string>();

  before(async () => {
    const agent = await createMetrics(createSource()).renderText();
    const text = `${agent}\n${await createControllerMetrics(["pool"]).renderText()}`;
    for (const [, name = "", type = ""] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      types.set(name, type);
      for (const suffix of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]) names.add(name + suffix);
    }
  });

  it("alerts use only metrics of the agent and the controller", () => {
    const { groups } = parse(readFileSync(join(DEPLOY, "chart", "rules", "interlay.yaml"), "utf8")) as {
      groups: { rules: { expr: string }[] }[];
    };
    for (const { expr } of groups.flatMap(({ rules }) => rules)) {
      const used = expr.replaceAll(/"[^"]*"/g, "").match(/\binterlay_\w+/g) ?? [];
      assert.ok(used.length > 0, expr);
      for (const name of used) assert.ok(names.has(name), `${name} in ${expr}`);
    }
  });

  it("Grafana's dashboard uses only metrics of the agent and the controller", () => {
    assert.ok(names.size > 15, [...names].join());
    for (const text of queries) {
      assert.ok(listNames(text).length > 0, text);
      for (const name of listNames(text)) assert.ok(names.has(name), `${name} in ${text}`);
    }
  });

  it("Grafana's dashboard shows all metrics of the agent and the controller", () => {
    const shown = queries.flatMap(listNames);
    for (const name of types.keys())
      assert.ok(
        shown.some((one) => one.startsWith(name)),
        name,
      );
  });

  it("Grafana's dashboard takes rates of counters only", () => {
    for (const text of queries)
      for (const [, name = ""] of text.matchAll(/(?:rate|increase)\((\w+)/g))
        assert.match(types.get(name.replace(/_(?:bucket|sum|count)$/, "")) ?? "", /counter|histogram/, text);
  });
});

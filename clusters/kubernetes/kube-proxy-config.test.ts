import assert from "node:assert/strict";
import { parse } from "yaml";
import {
  listCleanupArguments,
  adaptConfig,
  hasServiceRules,
  hasSettled,
  hasSynced,
  parseMode,
  renderMinSyncPeriod,
} from "./kube-proxy-config.ts";

const KUBEADM = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ''\n";
const nftables = (version: string) => ({ version, mode: "nftables" as const });

describe("kube-proxy's configuration", () => {
  it("has mode iptables by default", () => {
    assert.equal(parseMode(KUBEADM), "iptables");
    assert.equal(parseMode(adaptConfig(KUBEADM, nftables("v1.37.2"))), "nftables");
  });

  it("has the feature gate only for versions that need it for nftables", () => {
    const gated = adaptConfig(KUBEADM, nftables("v1.29.15"));
    assert.deepEqual(parse(gated), {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: "nftables",
      featureGates: { NFTablesProxyMode: true },
    });
    assert.ok(!adaptConfig(gated, { version: "v1.28.15", mode: "iptables" }).includes("featureGates"));
    assert.ok(!adaptConfig(gated, nftables("v1.31.0")).includes("featureGates"));
  });

  it("rejects a mode that the version does not have", () => {
    assert.throws(() => adaptConfig(KUBEADM, nftables("v1.28.15")), /v1\.28\.15 has no nftables mode/);
  });

  it("is cleaned up with the feature gate of the kube-proxy that wrote the rules", () => {
    assert.deepEqual(listCleanupArguments(nftables("v1.30.1")), [
      "--cleanup",
      "--feature-gates=NFTablesProxyMode=true",
    ]);
    assert.deepEqual(listCleanupArguments({ version: "v1.28.15", mode: "iptables" }), ["--cleanup"]);
  });

  it("has synced when a metric has the time of a sync, with or without a label", () => {
    const metric = "kubeproxy_sync_proxy_rules_last_timestamp_seconds";
    assert.ok(!hasSynced(""));
    assert.ok(!hasSynced(`# TYPE ${metric} gauge\n${metric} 0\n`));
    assert.ok(hasSynced(`# TYPE ${metric} gauge\n${metric} 1.7638e+09\n`));
    assert.ok(hasSynced(`${metric}{ip_family="IPv4"} 1.7638e+09\n`));
  });

  it("has settled when the last change is written and old enough", () => {
    const renderMetrics = (queued: number, synced: number) =>
      `kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds ${queued}\nkubeproxy_sync_proxy_rules_last_timestamp_seconds ${synced}\n`;
    assert.ok(hasSettled(renderMetrics(1.7638e9, 1.7638e9 + 2), 1.7638e9 + 20, 12));
    assert.ok(
      !hasSettled(renderMetrics(1.7638e9, 1.7638e9 + 2), 1.7638e9 + 5, 12),
      "the change may have come during the sync",
    );
    assert.ok(!hasSettled(renderMetrics(1.7638e9, 1.7638e9 - 2), 1.7638e9 + 20, 12), "not written yet");
    assert.ok(!hasSettled("", 1.7638e9, 12));
  });

  it("keeps the minimum sync period when the version changes", () => {
    const slower = adaptConfig(renderMinSyncPeriod(KUBEADM, "10s"), { version: "v1.28.15", mode: "iptables" });
    assert.deepEqual((parse(slower) as { iptables: unknown }).iptables, { minSyncPeriod: "10s" });
  });

  it("distinguishes the rules of a whole sync from empty chains", () => {
    const chains = ":KUBE-SERVICES - [0:0]\n-A PREROUTING -j KUBE-SERVICES";
    const last = '-A KUBE-SERVICES -m comment --comment "last rule" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS';
    assert.ok(!hasServiceRules("iptables", chains));
    assert.ok(hasServiceRules("iptables", `${chains}\n${last}\nCOMMIT`));
    assert.ok(!hasServiceRules("nftables", ""));
    assert.ok(hasServiceRules("nftables", "ip daddr . meta l4proto . th dport vmap @service-ips"));
  });
});

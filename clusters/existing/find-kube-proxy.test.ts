import assert from "node:assert/strict";
import { findKubeProxy, type KubeProxySources } from "./find-kube-proxy.ts";

const NONE: KubeProxySources = { daemonSet: undefined, pods: [], kubelets: ["v1.31.4"], config: undefined };

describe("findKubeProxy", () => {
  const table: readonly (readonly [string, Partial<KubeProxySources>, string, string])[] = [
    ["a DaemonSet", { daemonSet: "registry.k8s.io/kube-proxy:v1.29.15" }, "v1.29.15/iptables", "DaemonSet"],
    ["static pods", { pods: ["rancher/hardened-kubernetes:v1.30.2-rke2r1"] }, "v1.30.2/iptables", "static pods"],
    ["k3s", { kubelets: ["v1.31.4+k3s1"] }, "v1.31.4/iptables", "k3s"],
    [
      "a DaemonSet whose image has a digest",
      { daemonSet: "mirror/kube-proxy@sha256:0a" },
      "v1.31.4/iptables",
      "kubelet's version",
    ],
    ["mode nftables", { daemonSet: "kube-proxy:v1.31.4", config: "mode: nftables\n" }, "v1.31.4/nftables", "DaemonSet"],
    ["an empty mode", { daemonSet: "kube-proxy:v1.31.4", config: 'mode: ""\n' }, "v1.31.4/iptables", "DaemonSet"],
  ];
  for (const [title, sources, expected, source] of table)
    it(`finds kube-proxy in ${title}`, () => {
      const found = findKubeProxy({ ...NONE, ...sources });
      assert.ok(found.kubeProxy);
      assert.deepEqual([`${found.kubeProxy.version}/${found.kubeProxy.mode}`, found.source], [expected, source]);
    });

  it("reports mode ipvs as a problem", () => {
    const found = findKubeProxy({ ...NONE, daemonSet: "kube-proxy:v1.31.4", config: "mode: ipvs" });
    assert.equal(found.kubeProxy, undefined);
    assert.match(found.problem, /mode ipvs/);
  });

  it("reports a missing kube-proxy as a problem", () => {
    const found = findKubeProxy(NONE);
    assert.equal(found.kubeProxy, undefined);
    assert.match(found.problem, /no kube-proxy was found/);
  });
});

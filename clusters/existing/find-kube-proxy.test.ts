import assert from "node:assert/strict";
import { findKubeProxy, type KubeProxySources } from "./find-kube-proxy.ts";

const NONE: KubeProxySources = { daemonSet: undefined, pods: [], kubelets: ["v1.31.4"], config: undefined };

describe("kube-proxy of an existing cluster", () => {
  const table: readonly (readonly [string, Partial<KubeProxySources>, string, string])[] = [
    ["a DaemonSet", { daemonSet: "registry.k8s.io/kube-proxy:v1.29.15" }, "v1.29.15/iptables", "DaemonSet"],
    ["static pods", { pods: ["rancher/hardened-kubernetes:v1.30.2-rke2r1"] }, "v1.30.2/iptables", "static pods"],
    ["k3s", { kubelets: ["v1.31.4+k3s1"] }, "v1.31.4/iptables", "k3s"],
    ["an image by digest", { daemonSet: "mirror/kube-proxy@sha256:0a" }, "v1.31.4/iptables", "kubelet's version"],
    ["nftables", { daemonSet: "kube-proxy:v1.31.4", config: "mode: nftables\n" }, "v1.31.4/nftables", "DaemonSet"],
    ["an empty mode", { daemonSet: "kube-proxy:v1.31.4", config: 'mode: ""\n' }, "v1.31.4/iptables", "DaemonSet"],
  ];
  for (const [title, sources, expected, source] of table)
    it(`is found: ${title}`, () => {
      const found = findKubeProxy({ ...NONE, ...sources });
      assert.ok(found.kubeProxy);
      assert.deepEqual([`${found.kubeProxy.version}/${found.kubeProxy.mode}`, found.source], [expected, source]);
    });

  it("is refused in mode ipvs, by name", () => {
    const found = findKubeProxy({ ...NONE, daemonSet: "kube-proxy:v1.31.4", config: "mode: ipvs" });
    assert.equal(found.kubeProxy, undefined);
    assert.match(found.problem, /mode ipvs/);
  });

  it("is missed where another program does its work", () => {
    const found = findKubeProxy(NONE);
    assert.equal(found.kubeProxy, undefined);
    assert.match(found.problem, /no kube-proxy was found/);
  });
});

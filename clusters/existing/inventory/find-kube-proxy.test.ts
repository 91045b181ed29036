import assert from "node:assert/strict";
import { findKubeProxy, type KubeProxySources } from "./find-kube-proxy.ts";

const NONE: KubeProxySources = {
  daemonSet: undefined,
  pods: [],
  kubelets: ["v1.31.4"],
  configs: [],
  nodeArguments: [],
  replacement: undefined,
};
const container = (image: string, ...argv: readonly string[]) => ({ image, argv });
const rke2 = container("rancher/hardened-kubernetes:v1.30.2-rke2r1", "kube-proxy", "--proxy-mode=ipvs");
const daemonSet = container("registry.k8s.io/kube-proxy:v1.29.15", "/usr/local/bin/kube-proxy");
const k3s = { kubelets: ["v1.31.4+k3s1"] };

describe("findKubeProxy", () => {
  const table: readonly (readonly [string, Partial<KubeProxySources>, string, string])[] = [
    ["a DaemonSet", { daemonSet }, "v1.29.15/iptables", "DaemonSet"],
    [
      "static pods",
      { pods: [container("rancher/hardened-kubernetes:v1.30.2-rke2r1")] },
      "v1.30.2/iptables",
      "static pods",
    ],
    ["static pods with mode ipvs in their arguments", { pods: [rke2] }, "v1.30.2/ipvs", "static pods"],
    ["k3s", k3s, "v1.31.4/iptables", "k3s"],
    [
      "k3s with mode ipvs as two words",
      { ...k3s, nodeArguments: [["server", "--kube-proxy-arg", "proxy-mode=ipvs"]] },
      "v1.31.4/ipvs",
      "k3s",
    ],
    [
      "k3s with mode ipvs as one word",
      { ...k3s, nodeArguments: [["agent"], ["server", "--kube-proxy-arg=proxy-mode=ipvs"]] },
      "v1.31.4/ipvs",
      "k3s",
    ],
    [
      "a DaemonSet whose image has a digest",
      { daemonSet: container("mirror/kube-proxy@sha256:0a") },
      "v1.31.4/iptables",
      "kubelet's version",
    ],
    ["mode nftables", { daemonSet, configs: ["mode: nftables\n"] }, "v1.29.15/nftables", "DaemonSet"],
    ["mode ipvs", { daemonSet, configs: ["mode: ipvs\n"] }, "v1.29.15/ipvs", "DaemonSet"],
    ["an empty mode", { daemonSet, configs: ['mode: ""\n'] }, "v1.29.15/iptables", "DaemonSet"],
    [
      "a configuration that takes precedence over an argument",
      { daemonSet: { ...daemonSet, argv: ["--proxy-mode", "ipvs"] }, configs: ["mode: nftables\n"] },
      "v1.29.15/nftables",
      "DaemonSet",
    ],
  ];
  for (const [title, sources, expected, source] of table)
    it(`finds kube-proxy in ${title}`, () => {
      const found = findKubeProxy({ ...NONE, ...sources });
      assert.ok(found.kubeProxy);
      assert.deepEqual([`${found.kubeProxy.version}/${found.kubeProxy.mode}`, found.source], [expected, source]);
    });

  const absent: readonly (readonly [string, Partial<KubeProxySources>, string])[] = [
    ["a cluster without one", {}, "no DaemonSet, no static pod, no k3s"],
    ["k3s that disables it", { ...k3s, nodeArguments: [["server", "--disable-kube-proxy"]] }, "no DaemonSet"],
    ["a cluster in which Cilium replaces it", { replacement: "Cilium" }, "Cilium replaces it"],
  ];
  for (const [title, sources, source] of absent)
    it(`reports none in ${title}`, () => {
      const found = findKubeProxy({ ...NONE, ...sources });
      assert.ok(found.kubeProxy);
      assert.deepEqual(found.kubeProxy, { version: "none", mode: "none" });
      assert.ok(found.source.startsWith(source), found.source);
    });

  it("reports a mode that the suite cannot predict as a problem", () => {
    const found = findKubeProxy({ ...NONE, daemonSet, configs: ["mode: userspace"] });
    assert.equal(found.kubeProxy, undefined);
    assert.match(found.problem, /mode userspace/);
  });
});

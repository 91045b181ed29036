import assert from "node:assert/strict";
import { detectClusterDistribution, detectDistribution } from "./distribution.ts";

const node = (kubelet: string, osImage = "Ubuntu 24.04", labels: Readonly<Record<string, string>> = {}) => ({
  name: kubelet,
  kubelet,
  osImage,
  labels,
});

describe("the distribution of a node", () => {
  const table: readonly (readonly [string, ReturnType<typeof node>, string, string])[] = [
    ["kubeadm", node("v1.31.0"), "Kubernetes", "/opt/cni/bin"],
    ["K3s since the fixed directory", node("v1.31.2+k3s1"), "K3s", "/var/lib/rancher/k3s/data/cni"],
    ["K3s before the fixed directory", node("v1.31.1+k3s1"), "K3s", "/var/lib/rancher/k3s/data/current/bin"],
    ["an old K3s", node("v1.27.16+k3s1"), "K3s", "/var/lib/rancher/k3s/data/current/bin"],
    ["a new K3s", node("v1.36.0+k3s1"), "K3s", "/var/lib/rancher/k3s/data/cni"],
    ["RKE2", node("v1.31.4+rke2r1"), "RKE2", "/opt/cni/bin"],
    [
      "MicroK8s",
      node("v1.31.0", "Ubuntu 24.04", { "microk8s.io/cluster": "true" }),
      "MicroK8s",
      "/var/snap/microk8s/current/opt/cni/bin",
    ],
    [
      "OpenShift",
      node("v1.30.4", "Red Hat Enterprise Linux CoreOS 417", { "node.openshift.io/os_id": "rhcos" }),
      "OpenShift",
      "/var/lib/cni/bin",
    ],
    ["Talos", node("v1.32.0", "Talos (v1.9.0)"), "Talos", "/opt/cni/bin"],
    ["Bottlerocket", node("v1.31.2-eks-1", "Bottlerocket OS 1.29.0 (aws-k8s-1.31)"), "Bottlerocket", "/opt/cni/bin"],
  ];
  for (const [title, facts, name, directory] of table)
    it(`is found for ${title}`, () => {
      const found = detectDistribution(facts);
      assert.equal(found.name, name);
      assert.equal(found.cniBinDirectory, directory);
    });

  it("is that of the cluster if all nodes have the same plugin directory", () => {
    assert.equal(detectClusterDistribution([node("v1.31.4+rke2r1"), node("v1.31.5+rke2r1")]).name, "RKE2");
  });

  it("is refused if nodes differ in the plugin directory", () => {
    assert.throws(
      () => detectClusterDistribution([node("v1.31.4+k3s1"), node("v1.31.4")]),
      /v1\.31\.4\+k3s1 \(K3s\) \/var\/lib\/rancher.*v1\.31\.4 \(Kubernetes\) \/opt\/cni\/bin/,
    );
  });
});

import assert from "node:assert/strict";
import { V1DaemonSet, V1Pod } from "@kubernetes/client-node";
import { groupConfigurations, isDatapath, listImages } from "./read-components.ts";

const createDaemonSet = (name: string, paths: readonly string[]) =>
  Object.assign(new V1DaemonSet(), {
    metadata: { name },
    spec: {
      selector: {},
      template: {
        spec: { containers: [], volumes: paths.map((path, index) => ({ name: `v${index}`, hostPath: { path } })) },
      },
    },
  });
const createPod = (image: string, imageID: string) =>
  Object.assign(new V1Pod(), {
    spec: { containers: [{ name: "main", image }] },
    status: {
      containerStatuses: [{ name: "main", image: "sha256:other", imageID, ready: true, restartCount: 0 }],
    },
  });

describe("the components of a cluster", () => {
  it("the components of a cluster have the DaemonSets that mount a CNI directory, and kube-proxy", () => {
    assert.equal(isDatapath(createDaemonSet("calico-node", ["/etc/cni/net.d"])), true);
    assert.equal(isDatapath(createDaemonSet("multus", ["/var/lib/rancher/k3s/agent/etc/cni/net.d"])), true);
    assert.equal(isDatapath(createDaemonSet("kube-proxy", [])), true);
    assert.equal(isDatapath(createDaemonSet("node-exporter", ["/proc", "/var/lib/cnibase"])), false);
  });

  it("the components of a cluster have each image once, with its id only if that has a digest", () => {
    const id = `docker.io/calico/node@sha256:${"a".repeat(64)}`;
    const pods = [createPod("calico/node:v3", id), createPod("calico/node:v3", id), createPod("probe:1", "probe:1")];
    assert.deepEqual(listImages(pods), [{ image: "calico/node:v3", imageID: id }, { image: "probe:1" }]);
  });

  it("the components of a cluster have both ids of an image that differs between nodes", () => {
    const pods = ["a", "b"].map((digit) => createPod("app:latest", `sha256:${digit.repeat(64)}`));
    assert.equal(listImages(pods).length, 2);
  });

  it("group CNI configurations by name and digest", () => {
    const [one, other] = ["1".repeat(64), "2".repeat(64)];
    const listings = [
      { node: "a", stdout: `${one}  /etc/cni/net.d/00-multus.conf\n${one}  /etc/cni/net.d/10-calico.conflist\n` },
      { node: "b", stdout: `${one}  /etc/cni/net.d/00-multus.conf\n${other}  /etc/cni/net.d/10-calico.conflist\n` },
    ];
    assert.deepEqual(groupConfigurations(listings), [
      { file: "00-multus.conf", sha256: one, nodes: ["a", "b"] },
      { file: "10-calico.conflist", sha256: one, nodes: ["a"] },
      { file: "10-calico.conflist", sha256: other, nodes: ["b"] },
    ]);
  });
});

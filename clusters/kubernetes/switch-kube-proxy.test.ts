import assert from "node:assert/strict";
import { readKubeProxy } from "./switch-kube-proxy.ts";

const SET = { spec: { template: { spec: { containers: [{ image: "registry.k8s.io/kube-proxy:v1.29.15" }] } } } };
const CONFIG = { data: { "config.conf": "mode: nftables\n" } };

describe("the kube-proxy of a cluster", () => {
  const read = (objects: Readonly<Record<string, unknown>>) =>
    readKubeProxy({
      run: (argv) => {
        const object = objects[argv[3] ?? ""];
        return Promise.resolve(object === undefined ? "" : JSON.stringify(object));
      },
    });

  it("has the version of its image and the mode of its configuration", async () => {
    assert.deepEqual(await read({ daemonset: SET, configmap: CONFIG }), { version: "v1.29.15", mode: "nftables" });
  });

  it("is none if the cluster has no DaemonSet of that name", async () => {
    assert.deepEqual(await read({}), { version: "none", mode: "none" });
  });
});

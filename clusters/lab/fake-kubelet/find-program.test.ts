import assert from "node:assert/strict";
import { findProgram } from "./find-program.ts";

describe("an image stands for a program of the project", () => {
  const cases = [
    ["registry.k8s.io/kube-proxy:v1.28.15", "/programs/kube-proxy-v1.28.15"],
    ["docker.io/calico/node:v3.28.5", "/programs/calico-files/start_runit"],
    ["interlay.dev/probe:0123", "/usr/local/bin/probe"],
    ["localhost:5000/interlay", "/programs/interlay"],
  ] as const;
  for (const [image, program] of cases)
    it(image, () => {
      assert.deepEqual(findProgram(image).entrypoint, [program]);
    });

  it("Multus (thick) and flannel: programs at the paths that their manifests name", () => {
    const listTargets = (image: string) => findProgram(image).mounts.map(({ target }) => target);
    assert.deepEqual(listTargets("ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.2-thick"), [
      "/usr/src/multus-cni/bin/multus-daemon",
      "/usr/src/multus-cni/bin/multus-shim",
    ]);
    assert.deepEqual(listTargets("ghcr.io/flannel-io/flannel:v0.27.4"), ["/opt/bin/flanneld"]);
  });

  it("another one is refused by name", () => {
    assert.throws(
      () => findProgram("docker.io/library/nginx:1"),
      /no program of its own for docker.io\/library\/nginx:1/,
    );
  });
});

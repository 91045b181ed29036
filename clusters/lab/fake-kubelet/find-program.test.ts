import assert from "node:assert/strict";
import { findProgram } from "./find-program.ts";

describe("findProgram", () => {
  const cases = [
    ["registry.k8s.io/kube-proxy:v1.28.15", "/programs/kube-proxy-v1.28.15"],
    ["docker.io/calico/node:v3.28.5", "/programs/calico-files/start_runit"],
    ["interlay.dev/probe:0123", "/usr/local/bin/probe"],
    ["localhost:5000/interlay", "/programs/interlay"],
  ] as const;
  for (const [image, program] of cases)
    it(`returns ${program} for ${image}`, () => {
      assert.deepEqual(findProgram(image).entrypoint, [program]);
    });

  it("mounts the programs of thick Multus and flannel at the paths that their manifests name", () => {
    const listTargets = (image: string) => findProgram(image).mounts.map(({ target }) => target);
    assert.deepEqual(listTargets("ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.2-thick"), [
      "/usr/src/multus-cni/bin/multus-daemon",
      "/usr/src/multus-cni/bin/multus-shim",
    ]);
    assert.deepEqual(listTargets("ghcr.io/flannel-io/flannel:v0.27.4"), ["/opt/bin/flanneld"]);
  });

  it("rejects an image without a program", () => {
    assert.throws(() => findProgram("docker.io/library/nginx:1"), /cannot run the image docker\.io\/library\/nginx:1/);
  });
});

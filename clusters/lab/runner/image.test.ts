import assert from "node:assert/strict";
import { programOf } from "./image.ts";

describe("an image stands for a program of the project", () => {
  const cases = [
    ["registry.k8s.io/kube-proxy:v1.28.15", "/programs/kube-proxy-v1.28.15"],
    ["docker.io/calico/node:v3.28.5", "/programs/calico-files/start_runit"],
    ["interlay.dev/probe:0123", "/usr/local/bin/probe"],
    ["localhost:5000/interlay", "/programs/interlay"],
  ] as const;
  for (const [image, program] of cases)
    it(image, () => {
      assert.deepEqual(programOf(image).entrypoint, [program]);
    });

  it("another one is refused by name", () => {
    assert.throws(
      () => programOf("docker.io/library/nginx:1"),
      /no program of its own for docker.io\/library\/nginx:1/,
    );
  });
});

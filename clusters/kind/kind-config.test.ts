import assert from "node:assert/strict";
import { parse } from "yaml";
import { DEFAULT_SPEC } from "../spec/cluster-spec.ts";
import { renderKindConfig } from "./kind-config.ts";

describe("renderKindConfig", () => {
  it("has one control plane and the workers, no CNI plugin, and the spec's networks", () => {
    const config = parse(renderKindConfig({ ...DEFAULT_SPEC, probe: "" }, "node:1", "/cache/store")) as {
      nodes: { role: string; image: string; extraMounts: unknown[] }[];
      networking: Record<string, unknown>;
    };
    assert.deepEqual(
      config.nodes.map(({ role }) => role),
      ["control-plane", "worker", "worker"],
    );
    for (const { image, extraMounts } of config.nodes) {
      assert.equal(image, "node:1");
      assert.deepEqual(extraMounts, [{ hostPath: "/cache/store", containerPath: "/interlay/images", readOnly: true }]);
    }
    assert.equal(config.networking["disableDefaultCNI"], true);
    assert.equal(config.networking["podSubnet"], "10.233.64.0/18");
    assert.equal(config.networking["serviceSubnet"], "10.233.0.0/18");
  });

  it("allows cgroup v1 for kubelets that have the option, and omits it for older ones", () => {
    const hasOption = (kubernetes: string) =>
      renderKindConfig({ ...DEFAULT_SPEC, kubernetes, probe: "" }, "", "").includes("failCgroupV1");
    assert.deepEqual(["v1.29.15", "v1.34.1", "v1.37.2"].map(hasOption), [false, false, true]);
  });

  it("names an etcd that the version's kubeadm can start", () => {
    const findEtcdMinor = (kubernetes: string) =>
      /imageTag: (3\.\d)\./.exec(renderKindConfig({ ...DEFAULT_SPEC, kubernetes, probe: "" }, "", ""))?.[1];
    assert.deepEqual(["v1.29.15", "v1.34.1", "v1.37.2"].map(findEtcdMinor), ["3.5", "3.5", "3.6"]);
  });
});

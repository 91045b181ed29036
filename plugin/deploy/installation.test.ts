import assert from "node:assert/strict";
import { buildInstallation, type ManifestObject } from "./installation.ts";

const OPTIONS = { image: "registry.example/interlay:1", cniBinDirectory: "/opt/cni/bin", pullSecrets: [] };
const find = (objects: readonly ManifestObject[], kind: string) => objects.find((object) => object.kind === kind);

describe("an installation", () => {
  it("begins with the namespace and the definitions", () => {
    const kinds = buildInstallation(OPTIONS).map(({ kind }) => kind);
    assert.equal(kinds[0], "Namespace");
    assert.ok(kinds.lastIndexOf("CustomResourceDefinition") < kinds.indexOf("DaemonSet"));
  });

  it("contains the ConfigMap only with a return path, so that an upgrade keeps its settings", () => {
    assert.equal(find(buildInstallation(OPTIONS), "ConfigMap"), undefined);
    const [map] = buildInstallation({ ...OPTIONS, returnPath: "snat" }).filter(({ kind }) => kind === "ConfigMap");
    assert.deepEqual(map?.["data"], { returnPath: "snat" });
  });

  it("sets image, plugin directory and pull secrets of the DaemonSet", () => {
    const set = JSON.stringify(
      find(
        buildInstallation({ ...OPTIONS, cniBinDirectory: "/var/lib/cni/bin", pullSecrets: ["registry"] }),
        "DaemonSet",
      ),
    );
    assert.match(set, /"image":"registry.example\/interlay:1"/);
    assert.match(set, /"name":"cni-bin","hostPath":\{"path":"\/var\/lib\/cni\/bin","type":"Directory"\}/);
    assert.match(set, /"imagePullSecrets":\[\{"name":"registry"\}\]/);
  });

  it("has no pool unless one is named, and then the network that uses it", () => {
    assert.equal(find(buildInstallation(OPTIONS), "UnderlayPool"), undefined);
    const objects = buildInstallation({
      ...OPTIONS,
      underlay: { name: "underlay", subnet: "10.7.0.0/16", ranges: ["10.7.200.0/24"], uplink: "eth1" },
    });
    assert.deepEqual(find(objects, "UnderlayPool")?.["spec"], { subnet: "10.7.0.0/16", ranges: ["10.7.200.0/24"] });
    assert.deepEqual(find(objects, "UnderlayNetwork")?.["spec"], { pools: ["underlay"], uplink: "eth1" });
  });
});

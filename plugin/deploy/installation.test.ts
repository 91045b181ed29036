import assert from "node:assert/strict";
import { buildInstallation, listObsoleteObjects, type ManifestObject } from "./installation.ts";

const OPTIONS = {
  image: "registry.example/interlay:1",
  cniBinDirectory: "/opt/cni/bin",
  pullSecrets: [],
  admission: undefined,
};
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

  it("sets image and pull secrets of the controller's Deployment", () => {
    const objects = buildInstallation({ ...OPTIONS, pullSecrets: ["registry"] });
    const text = JSON.stringify(find(objects, "Deployment"));
    assert.match(text, /"image":"registry.example\/interlay:1"/);
    assert.match(text, /"imagePullSecrets":\[\{"name":"registry"\}\]/);
  });

  it("has the admission policies in the version that the API server serves", () => {
    const versions = (admission: "v1" | "v1beta1" | undefined) =>
      buildInstallation({ ...OPTIONS, admission })
        .filter(({ kind }) => kind.startsWith("ValidatingAdmissionPolicy"))
        .map(({ apiVersion }) => apiVersion);
    assert.deepEqual(versions(undefined), []);
    assert.deepEqual([...new Set(versions("v1"))], ["admissionregistration.k8s.io/v1"]);
    assert.deepEqual([...new Set(versions("v1beta1"))], ["admissionregistration.k8s.io/v1beta1"]);
    assert.equal(versions("v1").length, 4);
  });

  it("grants nothing by the names of objects that an upgrade deletes", () => {
    const named = new Set(
      buildInstallation({ ...OPTIONS, admission: "v1" }).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    );
    for (const { kind, metadata } of listObsoleteObjects()) assert.ok(!named.has(`${kind} ${metadata.name}`));
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

import assert from "node:assert/strict";
import { podObject } from "../../kubernetes/objects.ts";
import { listPodNetworks, parseDefinitionPools } from "./pod-networks.ts";
import { parseSetSize } from "./set-size.ts";
import { findWorkload } from "./workload.ts";

describe("findWorkload", () => {
  const find = (apiVersion: string, kind: string, name: string, labels = {}) =>
    findWorkload(
      podObject.parse({
        metadata: {
          name: "pod",
          namespace: "shop",
          labels,
          ownerReferences: [{ apiVersion, kind, name, uid: "u", controller: true }],
        },
        spec: {},
      }),
    );
  for (const [title, found, expected] of [
    [
      "finds the Deployment of a ReplicaSet",
      find("apps/v1", "ReplicaSet", "web-7d9f", { "pod-template-hash": "7d9f" }),
      "apps/Deployment/web",
    ],
    ["finds a ReplicaSet without a Deployment", find("apps/v1", "ReplicaSet", "web"), "apps/ReplicaSet/web"],
    ["finds a StatefulSet", find("apps/v1", "StatefulSet", "db"), "apps/StatefulSet/db"],
    [
      "finds a StatefulSet of OpenKruise by its group",
      find("apps.kruise.io/v1beta1", "StatefulSet", "db"),
      "apps.kruise.io/StatefulSet/db",
    ],
    ["finds a Job", find("batch/v1", "Job", "once"), "batch/Job/once"],
    [
      "finds the VirtualMachine of an instance",
      find("kubevirt.io/v1", "VirtualMachineInstance", "vm"),
      "kubevirt.io/VirtualMachine/vm",
    ],
  ] as const)
    it(title, () => {
      assert.equal(`${found?.group ?? ""}/${found?.kind ?? ""}/${found?.name ?? ""}`, expected);
    });
});

describe("parseSetSize", () => {
  it("accepts a number, and a number of addresses more than replicas", () => {
    assert.deepEqual([parseSetSize("5", 3), parseSetSize(" +2 ", 3), parseSetSize("+0", 0)], [5, 5, 0]);
  });
  for (const text of ["", "five", "-1", "+", "1.5", "9999", "+9999"])
    it(`rejects "${text}"`, () => {
      assert.throws(() => parseSetSize(text, 1), /annotation interlay.dev\/addresses|too large/);
    });
});

describe("listPodNetworks", () => {
  it("names the NICs as Multus does", () => {
    const annotations = {
      "v1.multus-cni.io/default-network": "interlay-system/underlay",
      "k8s.v1.cni.cncf.io/networks": "storage@lan0, other/backup",
    };
    assert.deepEqual(
      listPodNetworks(annotations, "shop").map(({ namespace, name, ifname }) => `${namespace}/${name}@${ifname}`),
      ["interlay-system/underlay@eth0", "shop/storage@lan0", "other/backup@net2"],
    );
    const json = { "k8s.v1.cni.cncf.io/networks": '[{"name":"a"},{"name":"b","namespace":"x","interface":"i"}]' };
    assert.deepEqual(
      listPodNetworks(json, "shop").map(({ namespace, name, ifname }) => `${namespace}/${name}@${ifname}`),
      ["shop/a@net1", "x/b@i"],
    );
  });
});

describe("parseDefinitionPools", () => {
  it("finds the pools of interlay-ipam in a configuration with and without a list of plugins", () => {
    const ipam = { type: "interlay-ipam", pools: ["p"] };
    const list = JSON.stringify({ name: "n", plugins: [{ type: "macvlan", ipam }, { type: "interlay" }] });
    assert.deepEqual(parseDefinitionPools(list, "d"), { network: "n", pools: ["p"] });
    assert.deepEqual(parseDefinitionPools(JSON.stringify({ type: "macvlan", ipam }), "d"), {
      network: "d",
      pools: ["p"],
    });
    assert.equal(parseDefinitionPools(JSON.stringify({ type: "macvlan", ipam: { type: "dhcp" } }), "d"), undefined);
    assert.equal(parseDefinitionPools("{", "d"), undefined);
  });
});

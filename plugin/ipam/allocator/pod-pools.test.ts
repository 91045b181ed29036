import assert from "node:assert/strict";
import { podObject } from "../../kubernetes/objects.ts";
import { AddressCluster, NodeStore } from "../../testing/address-cluster.ts";
import { parsePoolNames, selectPodPools } from "./pod-pools.ts";

describe("selectPodPools", () => {
  const select = async (
    {
      annotations = {},
      namespace = {},
      networkPools = [],
    }: {
      readonly annotations?: Readonly<Record<string, string>>;
      readonly namespace?: Readonly<Record<string, string>>;
      readonly networkPools?: readonly string[];
    },
    cut = false,
  ) => {
    const cluster = new AddressCluster()
      .pool("general", { ranges: ["10.7.1.0/24"], default: true })
      .pool("tenant", { ranges: ["10.7.2.0/24"] });
    cluster.namespaceAnnotations.set("default", namespace);
    const store = new NodeStore(cluster, "n1");
    store.partitioned = cut;
    const pod = podObject.parse({ metadata: { name: "a", namespace: "default", uid: "u", annotations }, spec: {} });
    const request = {
      containerId: "c",
      ifname: "net1",
      network: "underlay",
      netns: "",
      pools: networkPools,
      pod: { namespace: "default", name: "a", uid: "u" },
    };
    return (await selectPodPools(store, request, pod)).map(({ name }) => name);
  };

  it("selects the default pools without any name", async () => {
    assert.deepEqual(await select({}), ["general"]);
  });
  it("selects the pools of the namespace's annotation for a pod that names none", async () => {
    const namespace = { "interlay.dev/pools": "tenant" };
    assert.deepEqual(await select({ namespace }), ["tenant"]);
    assert.deepEqual(await select({ namespace, annotations: { "interlay.dev/pools": "gen*" } }), ["general"]);
    assert.deepEqual(await select({ namespace, networkPools: ["general"] }), ["general"]);
  });
  it("selects the pools of the pod's annotation for the NIC", async () => {
    const annotations = { "interlay.dev/pools.net1": "tenant", "interlay.dev/pools": "general" };
    assert.deepEqual(await select({ annotations }), ["tenant"]);
  });
  it("names the pools in the error if the network's list has none of the pod's", async () => {
    const annotations = { "interlay.dev/pools": "tenant" };
    await assert.rejects(
      select({ annotations, networkPools: ["general"] }),
      /none of the pools that annotation interlay.dev\/pools names \(tenant\) within the network's list \(general\)/,
    );
  });
  it("selects the default pools while the API server is unreachable", async () => {
    assert.deepEqual(await select({ namespace: { "interlay.dev/pools": "tenant" } }, true), ["general"]);
  });
});

describe("parsePoolNames", () => {
  it("accepts commas and blanks, and ignores another NIC's annotation", () => {
    assert.deepEqual(parsePoolNames({ "interlay.dev/pools": " a, b c " }, "eth0"), ["a", "b", "c"]);
    assert.deepEqual(parsePoolNames({ "interlay.dev/pools.net2": "a" }, "eth0"), []);
  });
});

import assert from "node:assert/strict";
import { underlayAddress } from "../../kubernetes/objects.ts";
import { AddressCluster } from "../../testing/address-cluster.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { Pool } from "../pool/select-pools.ts";
import { planSets, type SetRequest } from "./plan-sets.ts";

const WEB = { group: "apps", kind: "Deployment", namespace: "shop", name: "web" };
const DB = { group: "apps", kind: "StatefulSet", namespace: "shop", name: "db" };

describe("planSets", () => {
  const { valid: pools } = parsePools(
    new AddressCluster()
      .pool("p", { ranges: ["10.7.200.1-10.7.200.4"] })
      .pool("six", { subnet: "fd07::/64", ranges: ["fd07::1-fd07::9"] }).pools,
  );
  const ipv4 = pools.slice(0, 1);
  const request = (over: Partial<SetRequest> = {}, ofPools: readonly Pool[] = ipv4): SetRequest => ({
    workload: WEB,
    size: 2,
    nics: [{ ifname: "eth0", network: "underlay", pools: ofPools }],
    ...over,
  });
  const member = (last: number, pod = "", containerId = "", set: object = WEB, over: object = {}) =>
    underlayAddress.parse({
      metadata: { name: `10.7.200.${last}`, uid: `u${last}` },
      spec: {
        address: `10.7.200.${last}`,
        pool: "p",
        node: "",
        containerId,
        ifname: "eth0",
        network: "underlay",
        pod: { namespace: "shop", name: pod, uid: pod },
        set,
        ...over,
      },
    });
  const run = (requests: readonly SetRequest[], members: Parameters<typeof planSets>[1], mayExist = false) => {
    const plan = planSets(requests, members, () => mayExist);
    return {
      create: plan.create.map(({ address }) => address),
      remove: plan.remove.map(({ spec }) => spec.address),
      missing: plan.incomplete.map(({ missing }) => missing),
    };
  };

  it("creates the missing addresses of each family, without a pod and a node", () => {
    const plan = planSets([request({}, pools)], [member(1, "a", "c")], () => false);
    assert.deepEqual(
      plan.create.map(({ address }) => address),
      ["10.7.200.2", "fd07::1", "fd07::2"],
    );
    assert.deepEqual([plan.create[0]?.node, plan.create[0]?.pod.name, plan.create[0]?.set], ["", "", WEB]);
  });
  it("creates no address that another pod or set has", () => {
    const other = member(1, "x", "c", { ...WEB, name: "other" });
    assert.deepEqual(run([request({ size: 4 })], [other]), {
      create: ["10.7.200.2", "10.7.200.3", "10.7.200.4"],
      remove: [],
      missing: [1],
    });
  });
  it("removes free addresses when the set shrinks, and none in use", () => {
    const members = [member(1, "a", "c1"), member(2, "b", "c2"), member(3), member(4, "gone")];
    assert.deepEqual(run([request({ size: 1 })], members).remove, ["10.7.200.3", "10.7.200.4"]);
    assert.deepEqual(run([request({ size: 3 })], members).remove, ["10.7.200.3"]);
  });
  it("keeps the addresses of a StatefulSet's pods with small ordinals", () => {
    const members = [member(1, "db-2", "", DB), member(2, "db-0", "", DB), member(3, "db-1", "c", DB)];
    assert.deepEqual(run([request({ workload: DB, size: 2 })], members).remove, ["10.7.200.1"]);
  });
  it("replaces an address in conflict with another host", () => {
    const members = [member(1, "a", "c"), member(2, "", "", WEB, { conflict: "02:00:00:00:00:01" })];
    assert.deepEqual(run([request()], members), { create: ["10.7.200.3"], remove: [], missing: [] });
  });
  it("releases the free addresses of a workload that was deleted", () => {
    const members = [member(1), member(2, "a", "c")];
    assert.deepEqual(run([], members).remove, ["10.7.200.1"]);
    assert.deepEqual(run([], members, true).remove, [], "nothing is known of the workload");
  });
  it("replaces free addresses outside the pools of the workload", () => {
    const elsewhere = member(9);
    assert.deepEqual(run([request({ size: 1 })], [elsewhere]), {
      create: ["10.7.200.1"],
      remove: ["10.7.200.9"],
      missing: [],
    });
  });
});

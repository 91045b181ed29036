import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../../spec/cluster-spec.ts";
import { setFamilies } from "../../spec/address-ranges.ts";
import { planMachines, getNthAddress } from "./machine-addresses.ts";

describe("the lab's machines", () => {
  const spec = { ...DEFAULT_SPEC, name: "x" };

  it("the lab's machines have the addresses of the documentation and kind's names", () => {
    const { nodes, external, gateway, prefixLength } = planMachines(spec);
    assert.deepEqual(
      nodes.map(({ name, address }) => `${name} ${address}`),
      ["x-control-plane 10.7.168.70", "x-worker 10.7.168.71", "x-worker2 10.7.168.72"],
    );
    assert.deepEqual([external.address, gateway, prefixLength], ["10.7.168.127", "10.7.0.1", 16]);
  });

  it("the lab's machines have IPv6 addresses with the numbers of the IPv4 addresses, in dual-stack and IPv6 labs", () => {
    const plan = (families: "dual" | "ipv6") => planMachines(setFamilies(spec, families));
    const [dual] = plan("dual").nodes;
    assert.deepEqual([dual?.address, dual?.address6], ["10.7.168.70", "fd00:10:7::168:70"]);
    const { nodes, gateway, prefixLength } = plan("ipv6");
    assert.deepEqual([nodes[0]?.address, nodes[0]?.address6], ["fd00:10:7::168:70", undefined]);
    assert.deepEqual([gateway, prefixLength], ["fd00:10:7::1", 64]);
  });

  it("the lab's machines are at most as many as the node range has addresses for", () => {
    assert.equal(planMachines({ ...spec, workers: 56 }).nodes.at(-1)?.address, "10.7.168.126");
    assert.throws(() => planMachines({ ...spec, workers: 57 }), /use at most 56/);
  });
});

describe("getNthAddress", () => {
  it("counts from the network address", () => {
    assert.equal(getNthAddress("10.233.0.0/18", 1), "10.233.0.1");
    assert.equal(getNthAddress("10.233.0.0/18", 258), "10.233.1.2");
    assert.equal(getNthAddress("fd00:10:233::/112", 1), "fd00:10:233::1");
  });
});

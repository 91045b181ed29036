import assert from "node:assert/strict";
import { AddressCluster } from "../../testing/address-cluster.ts";
import { type BlockAddress, getBlock } from "../pool/address-blocks.ts";
import { parsePools } from "../pool/parse-pools.ts";
import { buildWaitingAnnotations } from "../records/waiting-calls.ts";
import { observeBlock } from "./observe-block.ts";

describe("observeBlock", () => {
  let cluster: AddressCluster;

  const hold = (address: string, node: string, waiting = 0): void => {
    const nic = { containerId: "c", ifname: "eth0", network: "n", pod: { namespace: "d", name: "a", uid: "a" } };
    cluster.write(address, { address, pool: "p", node, ...nic }, undefined, buildWaitingAnnotations(waiting));
  };
  const observe = (name: string, waiting = 1) => {
    const [pool] = parsePools(cluster.pools).valid;
    assert.ok(pool);
    const values = [...cluster.addresses.values()];
    const isFree = (address: BlockAddress): boolean => !cluster.addresses.has(address.name);
    const view = { get: (key: string) => cluster.addresses.get(key), values: () => values };
    return observeBlock(getBlock(pool.spaces.free, 0n), view, { name, waiting, isFree });
  };

  beforeEach(() => {
    cluster = new AddressCluster().pool("p", { ranges: ["10.7.200.0-10.7.200.99"] });
  });

  it("divides the free addresses among the nodes that hold some", () => {
    hold("10.7.200.1", "n1");
    hold("10.7.200.2", "n2");
    const [first, second] = [observe("n1"), observe("n2")];
    assert.deepEqual([first.free.length, first.nodes, first.isKnown], [98, 2, true]);
    assert.equal(new Set([...first.preferred, ...second.preferred].map(({ ip }) => ip)).size, 98);
    assert.ok(first.preferred.length >= 48 && first.preferred.length <= 50);
  });

  it("prefers no address for a node that the others do not know, which takes what they do not need", () => {
    hold("10.7.200.1", "n1", 90);
    const { preferred, spare, isKnown, nodes } = observe("new");
    assert.deepEqual([preferred.length, spare.length, isKnown, nodes], [0, 9, false, 2]);
  });

  it("uses the number of waiting calls that a node's last address has", () => {
    hold("10.7.200.1", "n1", 90);
    hold("10.7.200.2", "n1");
    assert.equal(observe("new").spare.length, 98);
  });

  it("reports that addresses are scarce while the waiting calls of several nodes need a fourth of them", () => {
    assert.equal(observe("n1", 90).isScarce, false, "one node alone");
    hold("10.7.200.1", "n1", 24);
    assert.equal(observe("new").isScarce, false);
    hold("10.7.200.2", "n1", 25);
    assert.equal(observe("new").isScarce, true);
    assert.equal(observe("n1", 1).isScarce, false, "its own calls are known better");
  });
});

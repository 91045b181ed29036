import assert from "node:assert/strict";
import { AddressCluster, NodeStore, STATEFUL_SET } from "../../testing/address-cluster.ts";
import { parseIp } from "../../datapath/address.ts";
import { toObjectName } from "../pool/object-name.ts";
import type { ReclaimDelays } from "./decide-reclaim.ts";
import { AddressReclaimer } from "./address-reclaimer.ts";

const DELAYS: ReclaimDelays = { afterPod: 10_000, withoutNode: 600_000, young: 0 };
const PASS_MS = 10_000;
/** As many as a zone of 100 nodes with 30 addresses each. */
const ADDRESSES = 3000;

/** A controller of a cluster whose addresses are all of nodes in one state. */
class Fixture {
  readonly cluster = new AddressCluster();
  readonly requests: string[] = [];
  readonly #store = new NodeStore(this.cluster, "", "cluster");
  readonly #reclaimer = new AddressReclaimer(
    {
      find: (resource, name) => {
        this.requests.push(`${resource.plural} ${name}`);
        return this.#store.find(resource, name);
      },
    },
    this.#store,
    { listRecords: () => [], find: () => undefined, remove: () => undefined },
  );

  /** @param owner controller of the pods */
  constructor(addresses: number, owner?: typeof STATEFUL_SET) {
    for (let nth = 0; nth < addresses; nth++) {
      const address = parseIp(`10.7.${nth >> 8}.${nth & 255}`);
      const pod = { namespace: "shop", name: `web-${nth}`, uid: `uid-${nth}` };
      const spec = { pool: "a", node: `n${nth % 100}`, containerId: "c", ifname: "eth0", network: "", address, pod };
      this.cluster.write(toObjectName(address), { ...spec, ...(owner === undefined ? {} : { owner }) });
    }
    this.#store.catchUp();
  }

  /** Runs passes, and returns the number of requests of each. */
  async runPasses(passes: number, state: "gone" | "silent"): Promise<readonly number[]> {
    const counts: number[] = [];
    for (let pass = 0; pass < passes; pass++) {
      const before = this.requests.length;
      await this.#reclaimer.reclaimAddresses(DELAYS, () => state, this.cluster.now);
      this.#store.catchUp();
      counts.push(this.requests.length - before);
      this.cluster.now += PASS_MS;
    }
    return counts;
  }
}

describe("AddressReclaimer in the controller", () => {
  it("asks for the pods of at most 500 addresses in a pass, however many nodes are not ready", async () => {
    const fixture = new Fixture(ADDRESSES);
    const counts = await fixture.runPasses(6, "silent");
    assert.deepEqual(counts, [500, 500, 500, 500, 500, 500]);
    assert.equal(new Set(fixture.requests).size, ADDRESSES);
  });

  it("asks for a pod whose node is not ready ten times in the delay of a release", async () => {
    const fixture = new Fixture(10);
    assert.deepEqual(await fixture.runPasses(12, "silent"), [10, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0]);
  });

  it("releases all addresses of nodes that are not ready, ten minutes after their pods were missing", async () => {
    const fixture = new Fixture(ADDRESSES);
    await fixture.runPasses(60, "silent");
    assert.equal(fixture.cluster.addresses.size, ADDRESSES);
    await fixture.runPasses(13, "silent");
    assert.equal(fixture.cluster.addresses.size, 0);
  });

  it("releases all addresses of deleted nodes, a part in each pass", async () => {
    const fixture = new Fixture(ADDRESSES);
    await fixture.runPasses(13, "gone");
    assert.equal(fixture.cluster.addresses.size, 0);
  });

  it("reads a StatefulSet once in a pass", async () => {
    const fixture = new Fixture(ADDRESSES, STATEFUL_SET);
    assert.deepEqual(await fixture.runPasses(1, "gone"), [501]);
  });
});

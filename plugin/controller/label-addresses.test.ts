import assert from "node:assert/strict";
import { KubeError } from "../kubernetes/kube-error.ts";
import { underlayAddress, type UnderlayAddressObject } from "../kubernetes/objects.ts";
import { buildLabels } from "../ipam/records/address-labels.ts";
import { labelAddresses } from "./label-addresses.ts";

const spec = (last: number) => ({
  address: `10.7.200.${last}`,
  pool: "p",
  node: "n".repeat(100),
  containerId: "c",
  ifname: "eth0",
  network: "underlay",
  pod: { namespace: "default", name: "a", uid: "a" },
});
const object = (last: number, labels: Readonly<Record<string, string>>) =>
  underlayAddress.parse({
    metadata: { name: `10.7.200.${last}`, resourceVersion: String(last), labels },
    spec: spec(last),
  });

describe("labelAddresses", () => {
  it("labels the addresses of earlier versions, each only in the state that was read", async () => {
    const written: unknown[] = [];
    const kube = {
      replace: (_resource: unknown, name: string, body: unknown) => {
        written.push(body);
        return name === "10.7.200.2" ? Promise.reject(new KubeError(409, "changed")) : Promise.resolve({});
      },
    };
    const old = { "interlay.dev/node": "n".repeat(63), "interlay.dev/pool": "p" };
    const count = await labelAddresses(kube, [object(1, buildLabels(spec(1))), object(2, {}), object(3, old)]);
    assert.equal(count, 2);
    assert.partialDeepStrictEqual(
      written,
      [2, 3].map((last) => ({
        metadata: { name: `10.7.200.${last}`, resourceVersion: String(last), labels: buildLabels(spec(last)) },
        spec: spec(last),
      })),
    );
  });

  it("lets the Lease be renewed while it checks many addresses", async () => {
    const addresses = Array<UnderlayAddressObject>(2000).fill(object(1, buildLabels(spec(1))));
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    assert.equal(await labelAddresses({ replace: () => Promise.resolve({}) }, addresses), 0);
    assert.ok(hasTurned);
  });

  it("gives a node with a long name a value that fits", () => {
    for (const value of Object.values(buildLabels(spec(1))))
      assert.match(value, /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
  });
});

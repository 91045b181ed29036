import assert from "node:assert/strict";
import { parseIp } from "../../datapath/address.ts";
import { underlayAddress } from "../../kubernetes/objects.ts";

const build = (address: unknown) => ({
  metadata: { name: "10.7.200.1" },
  spec: {
    address,
    pool: "p",
    node: "n1",
    containerId: "c",
    ifname: "eth0",
    pod: { namespace: "default", name: "a", uid: "u" },
  },
});

describe("the schema of UnderlayAddress", () => {
  for (const address of ["10.7.200.1", "0.0.0.0", "fd07::200:1", "::", "fd07:0:0:0:0:0:200:1", "FD07::A"])
    it(`accepts ${address}, which parseIp reads`, () => {
      const { spec } = underlayAddress.parse(build(address));
      assert.doesNotThrow(() => parseIp(spec.address));
    });

  for (const address of [
    "",
    "10.7",
    "10.7.200",
    "0x0a.7.200.1",
    "10.7.200.256",
    "10.7.200.1/16",
    "fd07:::1",
    "x",
    "fe80::1%eth0",
    7,
    null,
  ])
    it(`rejects the address ${JSON.stringify(address)}`, () => {
      const { error } = underlayAddress.safeParse(build(address));
      assert.deepEqual(
        error?.issues.map(({ path, message }) => [path.join("."), message]),
        [["spec.address", "neither an IPv4 nor an IPv6 address"]],
      );
    });
});

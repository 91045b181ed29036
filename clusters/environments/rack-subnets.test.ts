import assert from "node:assert/strict";
import { findRackOfWorker, listRacks, moveToRack } from "./rack-subnets.ts";

describe("two racks of an underlay", () => {
  it("two racks of an underlay are adjacent /24 subnets, each with a gateway and a range for pods", () => {
    assert.deepEqual(listRacks("10.7.168.64/26"), [
      {
        name: "rack-1",
        subnet: "10.7.168.0/24",
        gateway: "10.7.168.1",
        prefixLength: 24,
        podRange: "10.7.168.128/25",
      },
      {
        name: "rack-2",
        subnet: "10.7.169.0/24",
        gateway: "10.7.169.1",
        prefixLength: 24,
        podRange: "10.7.169.128/25",
      },
    ]);
  });

  it("two racks of an underlay contain every second worker each", () => {
    assert.deepEqual([0, 1, 2].map(findRackOfWorker), [0, 1, 0]);
    assert.equal(moveToRack("10.7.168.72", 1), "10.7.169.72");
    assert.equal(moveToRack("10.7.168.72", 0), "10.7.168.72");
  });
});

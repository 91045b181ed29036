import assert from "node:assert/strict";
import type { CapturePoint } from "./capture.ts";
import { formatHop, collectPaths, type PlaceNames } from "./path.ts";
import type { ObservedPacket } from "./pcap.ts";

const places: PlaceNames = {
  isNode: (place) => place.startsWith("kind-"),
  name: (place) => place.replace("kind-worker", "node-"),
  findNode: (address) => (address === "10.25.200.3" ? "kind-worker1" : undefined),
};

const sighting = (time: number, interfaceIndex: number, change: Partial<ObservedPacket> = {}): ObservedPacket => ({
  time: BigInt(time),
  interfaceIndex,
  direction: "out",
  otherHost: false,
  encapsulated: false,
  source: "10.25.200.3:4000",
  destination: "10.233.64.9:8080",
  token: "000001",
  kind: "request",
  ...change,
});

const links = new Map([
  [1, "lo"],
  [2, "eth0"],
  [3, "vxlan.calico"],
  [4, "cali0123456789a"],
  [5, "vethil00112233"],
]);
const tap = (place: string, ...packets: readonly ObservedPacket[]): CapturePoint => ({ place, links, packets });
const texts = (taps: readonly CapturePoint[], kind: "request" | "reply" = "request") =>
  collectPaths(taps, places).get("000001")?.[kind].map(formatHop);

describe("paths", () => {
  it("paths are in the order of the kernel's clock over all namespaces, links called what they are", () => {
    const taps = [
      tap("kind-worker1", sighting(2, 5, { direction: "in" }), sighting(3, 3), sighting(4, 2, { encapsulated: true })),
      tap("underlay-1-a", sighting(1, 2)),
      tap("kind-worker2", sighting(9, 4)),
    ];
    assert.deepEqual(texts(taps), [
      "underlay-1-a eth0 out",
      "node-1 veth in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 cali out",
    ]);
  });

  it("paths have each hop once, also if the probe was sent again", () => {
    assert.deepEqual(texts([tap("underlay-1-a", sighting(1, 2), sighting(5, 2))]), ["underlay-1-a eth0 out"]);
  });

  it("leave out frames that a bridge floods to another node, and keep those of a macvlan child", () => {
    const flooded = { direction: "in", otherHost: true, kind: "reply", destination: "10.25.200.3:4000" } as const;
    const taps = [tap("kind-worker1", sighting(1, 2, flooded)), tap("kind-worker2", sighting(1, 2, flooded))];
    assert.deepEqual(texts(taps, "reply"), ["node-1 wire in"]);
  });

  it("paths keep probes apart by their tokens", () => {
    const paths = collectPaths([tap("a", sighting(1, 2), sighting(2, 2, { token: "000002" }))], places);
    assert.deepEqual([...paths.keys()], ["000001", "000002"]);
  });
});

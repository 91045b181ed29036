import assert from "node:assert/strict";
import { isNodeAddress, isRepairReason, KernelEvents } from "./kernel-events.ts";

describe("lines of `ip -o monitor all-nsid` about addresses of the node", () => {
  const ROWS: readonly (readonly [boolean, string])[] = [
    [
      true,
      "[nsid current]5: F-a    inet 192.0.2.77/32 scope global F-a\\       valid_lft forever preferred_lft forever",
    ],
    [true, "[nsid current]Deleted 5: F-a    inet 192.0.2.77/32 scope global F-a\\       valid_lft forever"],
    [true, "5: eth0    inet6 fd07::71/64 scope global \\       valid_lft forever preferred_lft forever"],
    [
      false,
      "[nsid current]5: F-a    inet6 fe80::3caf:1/64 scope link \\       valid_lft forever preferred_lft forever",
    ],
    [false, "[nsid 0]2: eth0    inet 192.0.2.78/32 scope global F-b\\       valid_lft forever preferred_lft forever"],
    [false, "[nsid current]local 192.0.2.77 dev F-a table local proto kernel scope host src 192.0.2.77 "],
    [false, "[nsid current]5: F-a@if2: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default"],
    [false, "[nsid current]inet F-a forwarding off rp_filter off mc_forwarding off proxy_neigh off "],
  ];
  for (const [title, line] of ROWS)
    it(`${title ? "are" : "are not"}: ${line.slice(0, 50)}`, () => {
      assert.equal(isNodeAddress(line), title);
    });
});

describe("isRepairReason", () => {
  const isPinned = (address: string) => address === "10.7.168.71";
  const ROWS: readonly (readonly [boolean, string, string])[] = [
    [true, "a route of ours", "[nsid current]Deleted 10.7.1.2 dev caliab table 500 proto 105 scope link "],
    [true, "a route that replaced one of ours", "[nsid current]10.7.1.1 dev lo scope link "],
    [true, "an IPv6 route that replaced one of ours", "[nsid current]fd00:1::5 dev lo metric 1024 pref medium"],
    [true, "a route in a pod", "[nsid 0]Deleted 10.233.64.0/18 via 10.7.168.71 dev if2 src 10.7.1.2 "],
    [true, "a rule", "[nsid current]Deleted 32765:\tfrom all lookup 500"],
    [
      true,
      "a link",
      "[nsid current]12: vethilab@if2: <BROADCAST,MULTICAST> mtu 1500 state DOWN\\    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff",
    ],
    [true, "a deleted pinned neighbour in a pod", "[nsid 3]Deleted 10.7.168.71 dev if2 FAILED "],
    [true, "a changed pinned neighbour in a pod", "[nsid 3]10.7.168.72 dev if2 lladdr 02:00:00:00:00:01 PERMANENT "],
    [true, "a deleted neighbour of our link", "[nsid current]Deleted 10.7.1.1 dev vethilab FAILED "],
    [true, "a line without a namespace", "Deleted 10.7.1.2 dev vethilab proto 105 scope link "],
    [
      false,
      "felix's route to a block of another node",
      "[nsid current]10.233.65.0/26 via 10.233.65.0 dev vxlan.calico proto 80 onlink ",
    ],
    [
      false,
      "felix's IPv6 route",
      "[nsid current]fd00:65::/122 via fd00:65:: dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium",
    ],
    [false, "felix's blackhole", "[nsid current]Deleted blackhole 10.233.64.64/26 proto 80 "],
    [
      false,
      "felix's neighbour of another node",
      "[nsid current]10.233.65.0 dev vxlan.calico lladdr 66:00:00:00:00:01 PERMANENT ",
    ],
    [false, "an address that does not answer a pod", "[nsid 7]10.7.9.9 dev if2 FAILED "],
    [false, "an address that does not answer the node", "[nsid current]10.7.9.9 dev eth0 FAILED "],
    [false, "an incomplete neighbour", "[nsid 7]10.7.9.9 dev if2 INCOMPLETE "],
    [false, "a learned neighbour", "[nsid 7]10.7.0.1 dev if2 lladdr 02:00:00:00:00:01 router REACHABLE "],
  ];
  for (const [title, what, line] of ROWS)
    it(`${title ? "accepts" : "rejects"} ${what}`, () => {
      assert.equal(isRepairReason(line, isPinned), title);
    });
});

describe("KernelEvents", () => {
  const path = process.env["PATH"];
  afterEach(() => {
    process.env["PATH"] = path;
  });

  it("logs each program that does not report changes", async () => {
    process.env["PATH"] = "/nonexistent";
    const logged: string[] = [];
    await new Promise<void>((resolve) => {
      const events = new KernelEvents((message, { error }) => {
        logged.push(`${message} (${String(error)})`);
        if (logged.length === 2) {
          events.stop();
          resolve();
        }
      });
      const ignore = () => undefined;
      events.start({ links: ignore, tables: ignore, addresses: ignore }, () => false);
    });
    assert.deepEqual(logged, [
      "ip monitor ended: changes are seen at its next start, in 2000 ms (spawn ip ENOENT)",
      "nft monitor ended: changes are seen at its next start, in 2000 ms (spawn nft ENOENT)",
    ]);
  });
});

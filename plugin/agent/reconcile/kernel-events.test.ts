import assert from "node:assert/strict";
import { isNodeAddress } from "./kernel-events.ts";

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
  for (const [is, line] of ROWS)
    it(`${is ? "are" : "are not"}: ${line.slice(0, 50)}`, () => {
      assert.equal(isNodeAddress(line), is);
    });
});

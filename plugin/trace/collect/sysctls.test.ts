import assert from "node:assert/strict";
import { parseSysctls, READ_SYSCTLS } from "./sysctls.ts";

describe("sysctls of a snapshot", () => {
  it("has values by path, and the tables of the legacy backend", () => {
    const text = [
      "/proc/sys/net/ipv4/conf/eth0.100/rp_filter:2",
      "/proc/sys/net/ipv4/ip_forward:1",
      "/proc/net/ip_tables_names:filter",
      "/proc/net/ip_tables_names:nat",
      "",
    ].join("\n");
    assert.deepEqual(parseSysctls(text), {
      sysctls: { "net/ipv4/conf/eth0.100/rp_filter": "2", "net/ipv4/ip_forward": "1" },
      legacyTables: { ipv4: ["filter", "nat"], ipv6: [] },
    });
  });

  it("asks for no key of the kernel", () => {
    assert.ok(!READ_SYSCTLS.some((argument) => /fastopen_key|stable_secret/.test(argument)));
  });
});

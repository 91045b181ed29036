import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readSysctls } from "./sysctls.ts";
import { useDirectory } from "../../testing/use-directory.ts";

describe("sysctls of a snapshot", () => {
  const proc = useDirectory();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(proc, path)), { recursive: true });
    writeFileSync(join(proc, path), text);
  };

  it("has values by path, also of links with a point in their name, and the tables of the legacy backend", () => {
    write("sys/net/ipv4/conf/eth0.100/rp_filter", "2\n");
    write("sys/net/ipv4/ip_forward", "1\n");
    write("net/ip_tables_names", "filter\nnat\n");
    assert.deepEqual(readSysctls(proc), {
      sysctls: { "net/ipv4/conf/eth0.100/rp_filter": "2", "net/ipv4/ip_forward": "1" },
      legacyTables: { ipv4: ["filter", "nat"], ipv6: [] },
    });
  });

  it("has no key of the kernel", () => {
    write("sys/net/ipv4/ip_forward", "1\n");
    write("sys/net/ipv4/tcp_fastopen_key", "0123\n");
    write("sys/net/ipv6/conf/eth0/stable_secret", "::1\n");
    assert.deepEqual(Object.keys(readSysctls(proc).sysctls), ["net/ipv4/ip_forward"]);
  });

  it("cannot be read where there are none", () => {
    assert.throws(() => readSysctls(proc), /has no sysctl ipv4\/ip_forward/);
  });
});

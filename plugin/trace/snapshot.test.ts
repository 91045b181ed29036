import assert from "node:assert/strict";
import { parseSnapshot, SNAPSHOT_VERSION } from "./snapshot.ts";

const EMPTY_NODE = {
  id: "net:1",
  kind: "node",
  name: "node-1",
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  neighbours: [],
  fdb: [],
  sysctls: {},
  nftables: null,
  iptables: null,
  ip6tables: null,
  iptablesLegacy: null,
  ip6tablesLegacy: null,
  ipsets: null,
  conntrack: null,
};

describe("trace snapshot", () => {
  it("fills in what an older or smaller collector leaves out", () => {
    const text = JSON.stringify({
      version: SNAPSHOT_VERSION,
      takenAt: "2026-01-01T00:00:00Z",
      namespaces: [EMPTY_NODE],
    });
    const [node] = parseSnapshot(text).namespaces;
    assert.deepEqual([node?.listeners, node?.problems], [null, []]);
  });

  it("names the field that is invalid", () => {
    const broken = { ...EMPTY_NODE, kind: "router" };
    const text = JSON.stringify({ version: SNAPSHOT_VERSION, takenAt: "2026-01-01T00:00:00Z", namespaces: [broken] });
    assert.throws(() => parseSnapshot(text), /invalid trace snapshot: namespaces\.0\.kind: /);
  });

  it("refuses a snapshot of another version", () => {
    assert.throws(() => parseSnapshot(JSON.stringify({ version: 0, takenAt: "", namespaces: [] })), /version: /);
  });
});

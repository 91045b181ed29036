import { type CellResult, type Evidence, type Report, RESULTS_SCHEMA, type VariantResult } from "./schema.ts";
import { summarizeCells } from "./summarize-cells.ts";

/** Creates a cell that passed. */
export const createCell = (change: Partial<CellResult> = {}): CellResult => ({
  id: "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
  from: "underlay-1-a",
  to: "overlay-2-b",
  attempts: 1,
  source: "underlay",
  target: "overlay",
  group: "matrix",
  address: "10.233.64.5:8080",
  placement: "other-node",
  family: "ipv4",
  protocol: "tcp",
  expected: "pass",
  actual: "pass",
  ok: true,
  latencyMs: 1.5,
  ...change,
});

/** Creates a report of one variant with these cells. */
export function createReport(cells: CellResult[]): Report {
  const failed = cells.filter((c) => !c.ok).length;
  const variant: VariantResult = {
    kubeProxy: { version: "v1.28.15", mode: "iptables" },
    returnPath: "liberal",
    tcpBeLiberal: 1,
    invalidDropRule: true,
    cells,
    table: summarizeCells(cells),
    seconds: 3,
  };
  return {
    schema: RESULTS_SCHEMA,
    id: "test",
    started: "2026-01-01T00:00:00.000Z",
    finished: "2026-01-01T00:01:00.000Z",
    provider: "kind",
    versions: { kubernetes: "v1.29.15", calico: "v3.28.5" },
    variants: [variant],
    checks: [{ name: "routes", status: "failed", seconds: 1, error: "no <route> & \u0007bell" }],
    summary: { passed: cells.length - failed, failed: failed + 1, skipped: 0 },
  };
}

const REQUEST = [
  "underlay-1-a veth0 out",
  "node-1 veth in",
  "node-1 vxlan out",
  "node-1 wire (vxlan) out",
  "node-2 wire (vxlan) in",
  "node-2 vxlan in",
  "node-2 cali out",
  "overlay-2-b eth0 in",
];
const REPLY = ["overlay-2-b eth0 out", "node-2 cali in", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"];

/**
 * Creates the path of an underlay pod to an overlay pod on another node.
 * @param seen number of hops of the request that were captured
 */
export function createPath(seen: number): NonNullable<Evidence["path"]> {
  const hop = (text: string) => {
    const [, place = "", link = "", direction] = /^(\S+) (.+) (in|out)$/.exec(text) ?? [];
    return { place, link, direction: direction === "in" ? ("in" as const) : ("out" as const) };
  };
  const expected = { request: REQUEST.map(hop), reply: REPLY.map(hop) };
  const request = { source: "10.7.200.3:4000", destination: "10.233.64.5:8080" };
  const reply = { source: request.destination, destination: request.source };
  return {
    expected,
    seen: {
      request: expected.request.slice(0, seen).map((step) => ({ ...step, ...request })),
      reply: seen < REQUEST.length ? [] : expected.reply.map((step) => ({ ...step, ...reply })),
    },
  };
}

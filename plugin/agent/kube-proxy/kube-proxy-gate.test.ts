import assert from "node:assert/strict";
import { decideGate, type GateInput } from "./kube-proxy-gate.ts";
import { isRestartUseful } from "./kube-proxy-restart.ts";

const OLD = { version: "v1.28.15", mode: "iptables", invalidDropRule: true } as const;
const RULE = { ...OLD, version: "v1.29.15" } as const;
const FIREWALL = "nftables table inet firewalld, chain filter_FORWARD: ct state invalid drop";
const NO_RULE = { ...RULE, invalidDropRule: false } as const;

interface Row {
  readonly of: string;
  readonly input: Partial<GateInput>;
  readonly open: boolean;
  readonly message: RegExp;
  /** Would a restart of kube-proxy help? */
  readonly restart?: true;
}

const ROWS: readonly Row[] = [
  { of: "notrack below v1.29", input: { kubeProxy: OLD }, open: true, message: /not tracked here/ },
  { of: "notrack, the table not there yet", input: { applied: false }, open: false, message: /not in the kernel yet/ },
  {
    of: "liberal below v1.29",
    input: { returnPath: "liberal", tcpBeLiberal: 1, kubeProxy: OLD },
    open: false,
    message: /v1\.28\.15 drops INVALID .* upgrade it to v1\.29 or newer, or set returnPath: notrack/,
  },
  {
    of: "liberal, kube-proxy older than the sysctl",
    input: { returnPath: "liberal", tcpBeLiberal: 1 },
    open: false,
    message: /restart it on this node/,
    restart: true,
  },
  {
    of: "liberal, kube-proxy of an unknown version",
    input: { returnPath: "liberal", tcpBeLiberal: 1, kubeProxy: { ...RULE, version: null } },
    open: false,
    message: /of an unknown version still has/,
  },
  {
    of: "liberal, restarted",
    input: { returnPath: "liberal", tcpBeLiberal: 1, kubeProxy: NO_RULE },
    open: true,
    message: /has left its INVALID rule out/,
  },
  {
    of: "none with the rule",
    input: { returnPath: "none" },
    open: false,
    message: /returnPath is none: set .* notrack/,
  },
  { of: "snat", input: { returnPath: "snat", kubeProxy: OLD }, open: true, message: /masquerades/ },
  { of: "notrack with a firewall's rule", input: { otherDrops: [FIREWALL] }, open: true, message: /not tracked here/ },
  {
    of: "liberal with a firewall's rule",
    input: { returnPath: "liberal", tcpBeLiberal: 1, kubeProxy: NO_RULE, otherDrops: [FIREWALL] },
    open: false,
    message: /filter_FORWARD: ct state invalid drop\) and returnPath is liberal: set returnPath: notrack/,
  },
  {
    of: "none with a firewall's rule",
    input: { returnPath: "none", kubeProxy: NO_RULE, otherDrops: [FIREWALL] },
    open: false,
    message: /firewalld/,
  },
  {
    of: "none, and nobody drops (another proxy)",
    input: { returnPath: "none", kubeProxy: { version: null, mode: null, invalidDropRule: false } },
    open: true,
    message: /No rule of kube-proxy drops/,
  },
];

describe("decideGate", () => {
  for (const { of, input, open, message, restart } of ROWS)
    it(of, () => {
      const all: GateInput = {
        returnPath: "notrack",
        applied: true,
        tcpBeLiberal: 0,
        kubeProxy: RULE,
        otherDrops: [],
        ...input,
      };
      const gate = decideGate(all);
      assert.equal(gate.open, open);
      assert.match(gate.reason, message);
      assert.equal(isRestartUseful(all.returnPath, all.tcpBeLiberal, all.kubeProxy), restart ?? false);
    });
});

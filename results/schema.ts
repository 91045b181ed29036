import { z } from "zod";
import { componentsSchema, suiteSchema } from "./component-schema.ts";

/** Schema of results; everything that writes or reads a report validates it. */
export const RESULTS_SCHEMA = "interlay.results/v1";

export const POD_TYPES = ["overlay", "underlay", "multi-nic"] as const;
export type PodType = (typeof POD_TYPES)[number];

/** The six columns of the table: each pod type and its ClusterIP Service. */
export const TARGETS = [
  "overlay",
  "underlay",
  "multi-nic",
  "overlay-service",
  "underlay-service",
  "multi-nic-service",
] as const;

/** Where a packet was captured: a link of a pod, or a kind of link of a node (`cali`, `veth`, `vxlan`, `wire`, `wire (vxlan)`). */
const hopSchema = z.object({ place: z.string(), link: z.string(), direction: z.enum(["in", "out"]) });
export type HopResult = z.infer<typeof hopSchema>;
/** A hop with the packet's addresses, which change where they are translated. */
const seenHopSchema = hopSchema.extend({ source: z.string(), destination: z.string() });

const createBothWays = <T extends z.ZodType>(hop: T) => z.object({ request: z.array(hop), reply: z.array(hop) });

/** Counters and captures during the probe of a cell. */
const evidenceSchema = z.object({
  /** Counter of a rule on a node, before and after the probe. */
  counter: z
    .object({ node: z.string(), rule: z.string(), before: z.number().int(), after: z.number().int() })
    .optional(),
  /** INVALID packets of the cell's own connection on the client's node: those that its FORWARD hook received and forwarded. */
  drop: z.object({ node: z.string(), received: z.number().int(), forwarded: z.number().int() }).exactOptional(),
  path: z
    .object({
      expected: createBothWays(hopSchema),
      /** Hops that a trace predicted before the probe; it ends where the trace says that the packet is lost. */
      predicted: createBothWays(seenHopSchema).exactOptional(),
      seen: createBothWays(seenHopSchema),
    })
    .optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/**
 * Cause that blocks a cell. `invalid-rule`: kube-proxy's rule for INVALID packets. `design`: no configuration lets it pass.
 * `environment`: the cluster's configuration. `guard`: Interlay's source guard, because the cell is an attack.
 */
export const BLOCKERS = ["invalid-rule", "design", "environment", "guard"] as const;

const cellSchema = z.object({
  /** The same in all runs: `group/from/to/placement/protocol`, without addresses. */
  id: z.string(),
  /** The client pod, or `external`. */
  from: z.string(),
  /** The server pod, or another target. */
  to: z.string(),
  /** Pod type of the client, `node` or `external`. */
  source: z.string(),
  /** A column of the table, or a target of another group (`api-server`, `own-service`, `node-port-local`, …). */
  target: z.string(),
  /** Group of the cell; only `matrix` counts in the table. */
  group: z.string(),
  /** The probed address, with its port for TCP and UDP. */
  address: z.string(),
  placement: z.enum(["same-node", "other-node", "outside"]),
  family: z.enum(["ipv4", "ipv6"]),
  protocol: z.enum(["tcp", "udp", "icmp"]),
  expected: z.enum(["pass", "blocked"]),
  /** Reason why a cell is expected to be blocked. */
  blockedBy: z.enum(BLOCKERS).optional(),
  actual: z.enum(["pass", "fail"]),
  /**
   * Prediction of a trace before the probe; absent if the cell is not traced. `unknown`: a rule has a part that the trace does not
   * know. `random`: rules choose between a path that passes and one that fails.
   */
  predicted: z.enum(["pass", "fail", "unknown", "random"]).exactOptional(),
  /** Whether the result is as expected. A blocked cell that passes is not. */
  ok: z.boolean(),
  /** Milliseconds from the request to the last byte of the response. */
  latencyMs: z.number(),
  /** Number of attempts; more than one marks a flaky cell. */
  attempts: z.number().int().positive(),
  /**
   * Datagrams without an answer, or TCP segments, that the client sent again; more than none marks a flaky cell. Absent if unknown,
   * and for large payloads.
   */
  resent: z.number().int().nonnegative().exactOptional(),
  /** The client's end of an established TCP connection: its own address and port. */
  client: z.string().exactOptional(),
  /** The source address that the server saw. */
  seen: z.string().optional(),
  /** Source addresses that the server may see; absent if no server reports one. */
  expectedSource: z.array(z.string()).optional(),
  /** Reason for the expectation, or for the failure: the hop, rule or response. */
  reason: z.string().optional(),
  /** Likely cause of a failure and its remedy, from the doctor. */
  cause: z.string().optional(),
  evidence: evidenceSchema.optional(),
});
export type CellResult = z.infer<typeof cellSchema>;

export const TABLE_ENTRIES = ["pass", "blocked", "fail", "not-run"] as const;
export type SummaryEntry = (typeof TABLE_ENTRIES)[number];

export const variantSchema = z.object({
  /** `none`, in both fields: the cluster has no kube-proxy. */
  kubeProxy: z.object({ version: z.string(), mode: z.enum(["iptables", "nftables", "ipvs", "none"]) }),
  returnPath: z.enum(["notrack", "liberal", "snat", "none"]),
  /** Name of the environment (clusters/environments); absent in old reports, which means `default`. */
  environment: z.string().exactOptional(),
  /** nf_conntrack_tcp_be_liberal on the nodes during the probes; absent if it could not be read. */
  tcpBeLiberal: z.union([z.literal(0), z.literal(1)]).optional(),
  /** Whether kube-proxy's rule `--ctstate INVALID -j DROP` was on the nodes; absent if it could not be read. */
  invalidDropRule: z.boolean().optional(),
  cells: z.array(cellSchema),
  /** Three rows (POD_TYPES) of six columns (TARGETS). */
  table: z.array(z.array(z.enum(TABLE_ENTRIES)).length(TARGETS.length)).length(POD_TYPES.length),
  /** Duration of the probes in seconds. */
  seconds: z.number(),
});
export type VariantResult = z.infer<typeof variantSchema>;

/** A named part of a check. */
const stepSchema = z.object({
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
  seconds: z.number(),
  error: z.string().optional(),
  get steps() {
    return z.array(stepSchema).readonly().optional();
  },
});
export type CheckStep = z.infer<typeof stepSchema>;

/** A check that is not a cell, such as documented routes, expected rules and sysctls, or a failed hook. */
const checkSchema = z.object({
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
  seconds: z.number(),
  error: z.string().optional(),
  /** Number of attempts, if more than one. */
  attempts: z.number().int().positive().optional(),
  steps: z.array(stepSchema).readonly().optional(),
});
export type CheckResult = z.infer<typeof checkSchema>;

export const reportSchema = z.object({
  schema: z.literal(RESULTS_SCHEMA),
  id: z.string(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  provider: z.enum(["kind", "lab", "existing"]),
  /** For an existing cluster: `none` if another solution than Interlay connects the pods. */
  datapath: z.enum(["interlay", "none"]).exactOptional(),
  /** Options of `npm run e2e` that the command for a rerun repeats, in addition to those of the variant; absent in old reports. */
  options: z.array(z.string()).exactOptional(),
  versions: z.record(z.string(), z.string()),
  suite: suiteSchema.exactOptional(),
  components: componentsSchema.exactOptional(),
  variants: z.array(variantSchema),
  checks: z.array(checkSchema),
  summary: z.object({ passed: z.number().int(), failed: z.number().int(), skipped: z.number().int() }),
});
export type Report = z.infer<typeof reportSchema>;

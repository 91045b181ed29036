import { z } from "zod";

/** The results' schema, `interlay.results/v1`. Everything that writes or reads a report goes through it. */
export const RESULTS_SCHEMA = "interlay.results/v1";

export const POD_TYPES = ["overlay", "underlay", "multi-nic"] as const;
export type PodType = (typeof POD_TYPES)[number];

/** The six columns of the table: each pod type, each one's ClusterIP Service. */
export const TARGETS = [
  "overlay",
  "underlay",
  "multi-nic",
  "overlay-service",
  "underlay-service",
  "multi-nic-service",
] as const;

/** Where a packet was seen: a pod's link, or a node's, by what it is (`cali`, `veth`, `vxlan`, `wire`, `wire (vxlan)`). */
export const hopSchema = z.object({ place: z.string(), link: z.string(), direction: z.enum(["in", "out"]) });
export type HopResult = z.infer<typeof hopSchema>;
/** With the packet's addresses there: they change where somebody translates. */
export const seenHopSchema = hopSchema.extend({ source: z.string(), destination: z.string() });

const both = <T extends z.ZodType>(hop: T) => z.object({ request: z.array(hop), reply: z.array(hop) });

/** What the kernel showed while the cell was asked. */
export const evidenceSchema = z.object({
  /** A rule's counter on a node, before and after. */
  counter: z
    .object({ node: z.string(), rule: z.string(), before: z.number().int(), after: z.number().int() })
    .optional(),
  path: z.object({ expected: both(hopSchema), seen: both(seenHopSchema) }).optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/**
 * `invalid-rule`: kube-proxy's rule about INVALID packets. `design`: no configuration lets it pass. `environment`: the
 * cluster's configuration. `guard`: Interlay, for the cell is an attack.
 */
export const BLOCKERS = ["invalid-rule", "design", "environment", "guard"] as const;

export const cellSchema = z.object({
  /** Stable over runs: `group/from/to/placement/protocol`, without addresses. */
  id: z.string(),
  /** The pod that asked, or `external`. */
  from: z.string(),
  /** The pod that had to answer, or what else was asked. */
  to: z.string(),
  /** Pod type, `node` or `external`. */
  source: z.string(),
  /** One of the six, or a target of the other groups (`api-server`, `own-service`, `node-port-local`, …). */
  target: z.string(),
  /** Group: `matrix` counts in the table. */
  group: z.string(),
  /** The address that was asked, with its port for TCP and UDP. */
  address: z.string(),
  placement: z.enum(["same-node", "other-node", "outside"]),
  family: z.enum(["ipv4", "ipv6"]),
  protocol: z.enum(["tcp", "udp", "icmp"]),
  expected: z.enum(["pass", "blocked"]),
  /** What a cell that is expected to be blocked is blocked by. */
  blockedBy: z.enum(BLOCKERS).optional(),
  actual: z.enum(["pass", "fail"]),
  /** What the doctor predicted before the cell was asked; absent where it predicts nothing. */
  predicted: z.enum(["pass", "fail"]).exactOptional(),
  /** What was expected is what happened: a blocked cell that passes is a failure of the gate. */
  ok: z.boolean(),
  /** Milliseconds from the request to the last byte of the answer. */
  latencyMs: z.number(),
  /** How often it was asked; more than once is a flake that the reader should know of. */
  attempts: z.number().int().positive(),
  /** The source address that the server saw. */
  seen: z.string().optional(),
  /** The source addresses of which the server must see one, by the documents; absent where no server reports one. */
  expectedSource: z.array(z.string()).optional(),
  /** Why it is expected so, or what went wrong: which hop, rule or answer. */
  reason: z.string().optional(),
  /** What `npm run doctor` says of a cell that failed: the likely cause, and what to do. */
  cause: z.string().optional(),
  evidence: evidenceSchema.optional(),
});
export type CellResult = z.infer<typeof cellSchema>;

export const TABLE_ENTRIES = ["pass", "blocked", "fail", "not-run"] as const;
export type SummaryEntry = (typeof TABLE_ENTRIES)[number];

export const variantSchema = z.object({
  kubeProxy: z.object({ version: z.string(), mode: z.enum(["iptables", "nftables"]) }),
  returnPath: z.enum(["notrack", "liberal", "snat", "none"]),
  /** Name of the environment (clusters/environments); absent in reports from before there were several: `default`. */
  environment: z.string().exactOptional(),
  /** nf_conntrack_tcp_be_liberal as read on the nodes while the cells ran; absent where they could not be read. */
  tcpBeLiberal: z.union([z.literal(0), z.literal(1)]).optional(),
  /** kube-proxy's `--ctstate INVALID -j DROP`, likewise. */
  invalidDropRule: z.boolean().optional(),
  cells: z.array(cellSchema),
  /** Three rows (overlay, underlay, multi-nic) of six columns (TARGETS). */
  table: z.array(z.array(z.enum(TABLE_ENTRIES)).length(TARGETS.length)).length(POD_TYPES.length),
  /** Seconds that the cells took. */
  seconds: z.number(),
});
export type VariantResult = z.infer<typeof variantSchema>;

/** A named part of a check. */
export const stepSchema = z.object({
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
  seconds: z.number(),
  error: z.string().optional(),
  get steps() {
    return z.array(stepSchema).readonly().optional();
  },
});
export type CheckStep = z.infer<typeof stepSchema>;

/** A check that is not a cell: routes as documented, rules and sysctls as the gate says; a hook that failed. */
export const checkSchema = z.object({
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
  seconds: z.number(),
  error: z.string().optional(),
  /** How often it was run, where it was more than once. */
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
  /** With an existing cluster: `none` where another solution than Interlay wires the pods. */
  datapath: z.enum(["interlay", "none"]).exactOptional(),
  versions: z.record(z.string(), z.string()),
  variants: z.array(variantSchema),
  checks: z.array(checkSchema),
  summary: z.object({ passed: z.number().int(), failed: z.number().int(), skipped: z.number().int() }),
});
export type Report = z.infer<typeof reportSchema>;

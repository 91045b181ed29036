import { z } from "zod";
import { componentsSchema, suiteSchema } from "../component-schema.ts";
import { productSchema } from "./product.ts";
import { POD_TYPES, reportSchema, TABLE_ENTRIES, TARGETS, variantSchema } from "../schema.ts";

/** Type of the in-toto statement whose predicate is a certificate. */
export const PREDICATE_TYPE = "https://interlay.dev/certificate/v2";
/** Property `schema` of certificates before they were in-toto statements. */
export const OLD_SCHEMA = "interlay.certificate/v1";

/**
 * Profiles of a certificate. `base`: the matrix and its related groups, with the captured path of each packet. `connectivity`:
 * every cell that can be probed through the API server of an existing cluster, without captures. `sig-network`: Kubernetes' own
 * network specs with every pod of each type. The others are additional.
 */
export const PROFILES = [
  "base",
  "connectivity",
  "dual-stack",
  "node-port-local",
  "policy",
  "scale",
  "sig-network",
] as const;
export type ProfileName = (typeof PROFILES)[number];

/**
 * Evidence that the verdicts can be based on. `captures`: the path of each packet. `host-pods`: the probes' answers, and rules and counters of
 * the nodes, read by pods in their networks. `answers`: the probes' answers alone.
 */
const EVIDENCE_LEVELS = ["captures", "host-pods", "answers"] as const;
export type EvidenceLevel = (typeof EVIDENCE_LEVELS)[number];
/** The levels in words. */
export const EVIDENCE_TEXT: Readonly<Record<EvidenceLevel, string>> = {
  captures: "captured paths of the packets",
  "host-pods": "answers of the probes, and rules and counters of the nodes, without captures",
  answers: "answers of the probes, without captures",
};

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** One run of the whole suite. `folder`: its files in the bundle. */
const runSchema = z.strictObject({
  id: z.string(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  folder: z.string().regex(/^runs\/\d+$/),
});

/** Summary of a variant over all runs. */
const certifiedVariantSchema = z.strictObject({
  kubeProxy: variantSchema.shape.kubeProxy,
  returnPath: variantSchema.shape.returnPath,
  environment: variantSchema.shape.environment,
  /** Each entry is the worst of all runs. */
  table: z.array(z.array(z.enum(TABLE_ENTRIES)).length(TARGETS.length)).length(POD_TYPES.length),
  cells: z.number().int(),
  /** Ids of cells that kube-proxy's INVALID rule blocks as expected in every run. */
  blocked: z.array(z.string()),
  /** Ids of cells that were not as expected in at least one run. */
  failed: z.array(z.string()),
  /** Ids of cells that needed more than one attempt, or that differ between runs. */
  flaky: z.array(z.string()),
});
export type CertifiedVariant = z.infer<typeof certifiedVariantSchema>;

const profileSchema = z.strictObject({
  name: z.enum(PROFILES),
  /** The certificate passes only if every claimed profile does. */
  claimed: z.boolean(),
  result: z.enum(["pass", "fail", "not-run"]),
  /** The basis of a pass, or what is wrong or missing. */
  reason: z.string(),
});
export type ProfileResult = z.infer<typeof profileSchema>;

/** The predicate of the statement. */
const certificateSchema = z.strictObject({
  issued: z.iso.datetime(),
  product: productSchema,
  /** The recipient verifies with the same version. */
  suite: suiteSchema,
  provider: reportSchema.shape.provider,
  /** Basis of the verdicts. */
  evidence: z.enum(EVIDENCE_LEVELS),
  /** Datapath of an existing cluster. */
  datapath: z.enum(["interlay", "none"]).exactOptional(),
  /** Component versions, equal in every run. */
  versions: z.record(z.string(), z.string()),
  /** Components that the suite found during the first run; absent if the run did not record them. */
  components: componentsSchema.exactOptional(),
  workers: z.number().int().positive(),
  /** Address families of the cells; the cluster's primary family is first. */
  families: z.array(z.enum(["ipv4", "ipv6"])).min(1),
  runs: z.array(runSchema).min(1),
  variants: z.array(certifiedVariantSchema).min(1),
  profiles: z.array(profileSchema).length(PROFILES.length),
  result: z.enum(["pass", "fail"]),
});
export type Certificate = z.infer<typeof certificateSchema>;

/** An in-toto statement of version 1 about the files of a submission. */
export const statementSchema = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  /** Files of the submission, and files `runs/N/` in its bundle. */
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: digest }) })).min(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: certificateSchema,
});
export type Statement = z.infer<typeof statementSchema>;

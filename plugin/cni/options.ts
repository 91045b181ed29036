import { join } from "node:path";
import * as z from "zod/mini";
import { CniError, CODE } from "./error.ts";
import { LOG_FILE } from "./log.ts";
import { attachmentsDirectory } from "../datapath/attachment.ts";
import { cidrs, STATE_DIRECTORY } from "../datapath/facts.ts";

export const MODES = ["auto", "underlay", "overlay", "disabled"] as const;
export type Mode = (typeof MODES)[number];

const MIN_MTU = 68; // RFC 791
const MAX_MTU = 65_535;

/** What a network's configuration may say to `"type": "interlay"`; the rest is other plugins' and the runtime's. */
const optionsSchema = z.looseObject({
  /** auto: by what is in the pod. */
  mode: z._default(z.enum(MODES), "auto"),
  /** Bytes, of our pair; the underlay NIC's own by default. */
  mtu: z.optional(z.int().check(z.gte(MIN_MTU), z.lte(MAX_MTU))),
  /** Further destinations that the pod reaches through its node, as nodelocaldns' 169.254.20.10/32. */
  hijackCIDRs: z._default(cidrs, []),
  /** ADD answers as it would, and changes nothing; `interlay explain` prints the plan. */
  dryRun: z._default(z.boolean(), false),
  /** Packets, of our pair; the kernel's default otherwise. */
  txQueueLen: z.optional(z.int().check(z.gte(0))),
});
export type Options = z.infer<typeof optionsSchema>;

const absolutePath = z.string().check(z.startsWith("/"));

/** Read by every verb; what is wrong counts as not said, for DEL and GC must go on. */
const placesSchema = z.looseObject({
  /** Where facts and records lie, as host-local's dataDir. */
  stateDirectory: z.catch(z._default(absolutePath, STATE_DIRECTORY), STATE_DIRECTORY),
  /** One JSON line a call; rotated by size. */
  logFile: z.catch(z._default(absolutePath, LOG_FILE), LOG_FILE),
});

export interface Places {
  readonly state: string;
  readonly facts: string;
  readonly attachments: string;
  readonly log: string;
}

export function placesOf(config: unknown): Places {
  const { stateDirectory, logFile } = placesSchema.parse(config ?? {});
  return {
    state: stateDirectory,
    facts: join(stateDirectory, "facts.json"),
    attachments: attachmentsDirectory(stateDirectory),
    log: logFile,
  };
}

/** Throws CniError naming the key that is wrong. */
export function parseOptions(config: unknown): Options {
  const result = optionsSchema.safeParse(config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CniError(CODE.invalidConfig, `interlay's option ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

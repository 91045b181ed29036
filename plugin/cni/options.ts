import { join } from "node:path";
import { z } from "zod";
import { CniError, CODE } from "./error.ts";
import { LOG_FILE } from "./log.ts";
import { attachmentsDirectory } from "../datapath/attachment.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";

export const MODES = ["auto", "underlay", "overlay", "disabled"] as const;
export type Mode = (typeof MODES)[number];

const MIN_MTU = 68; // RFC 791
const MAX_MTU = 65_535;

/** What a network's configuration may say to `"type": "interlay"`; the rest is other plugins' and the runtime's. */
const optionsSchema = z.looseObject({
  /** auto: by what is in the pod. */
  mode: z.enum(MODES).default("auto"),
  /** Bytes, of our pair; the underlay NIC's own by default. */
  mtu: z.number().int().min(MIN_MTU).max(MAX_MTU).optional(),
  /** Packets, of our pair; the kernel's default otherwise. */
  txQueueLen: z.number().int().min(0).optional(),
});
export type Options = z.infer<typeof optionsSchema>;

/** Read by every verb; what is wrong counts as not said, for DEL and GC must go on. */
const placesSchema = z.looseObject({
  /** Where facts and records lie, as host-local's dataDir. */
  stateDirectory: z.string().startsWith("/").default(STATE_DIRECTORY).catch(STATE_DIRECTORY),
  /** One JSON line a call; rotated by size. */
  logFile: z.string().startsWith("/").default(LOG_FILE).catch(LOG_FILE),
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

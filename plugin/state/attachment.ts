import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod/mini";
import type { Cidr } from "../datapath/address.ts";
import { cidrs, STATE_DIRECTORY } from "../datapath/facts.ts";
import { describeItem, type Plan, type PlanItem } from "../datapath/plan-item.ts";
import type { NicSurvey } from "../datapath/plan/build-plan.ts";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "./own-files.ts";

/** Returns the directory of records: one file per attachment, with all data that DEL, CHECK, GC and the agent's repair need. */
export function getAttachmentsDirectory(stateDirectory: string): string {
  return join(stateDirectory, "attachments");
}
const ATTACHMENTS_DIRECTORY = getAttachmentsDirectory(STATE_DIRECTORY);
const SCHEMA = "interlay.attachment/v1";

export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
  /** The network's name in its configuration: GC removes attachments of one network only. Absent in records of earlier versions. */
  readonly network?: string;
  /** Path of the pod's network namespace. */
  readonly netns: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly plan: Plan;
  /** Input of the plan, to rebuild it when facts change. Absent in records of earlier versions. */
  readonly survey?: NicSurvey | undefined;
  /** Destinations that the network's configuration adds to the facts: a rebuilt plan needs it too. */
  readonly hijackCidrs?: readonly Cidr[];
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

const recordSchema = z.object({
  schema: z.literal(SCHEMA),
  containerId: z.string(),
  ifname: z.string(),
  network: z.exactOptional(z.string()),
  netns: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  // Written by this program alone, in a directory of mode 0700: the plan's own types hold.
  hijackCidrs: z.exactOptional(cidrs),
  survey: z.optional(z.custom<NicSurvey>(isObject)),
  plan: z.object({ items: z.array(z.custom<PlanItem>(isObject)) }),
});

function getFilePath(containerId: string, ifname: string, directory: string): string {
  return join(directory, `${containerId}-${ifname}.json`);
}

/** Writes a record atomically. */
export function writeAttachment(attachment: Attachment, directory: string): void {
  const file = getFilePath(attachment.containerId, attachment.ifname, directory);
  const text = JSON.stringify({ schema: SCHEMA, ...attachment });
  try {
    writeFileAtomic(file, text);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    createOwnDirectory(directory); // the node's first pod
    writeFileAtomic(file, text);
  }
}

/** Last read text and attachment of each record file: parsing unchanged records would be a large part of a repair pass. */
const lastRead = new Map<string, { readonly text: string; readonly attachment: Attachment }>();

/** Forgets records that another process has removed. */
function forgetRemoved(directory: string, names: ReadonlySet<string>): void {
  for (const file of lastRead.keys())
    if (dirname(file) === directory && !names.has(basename(file))) lastRead.delete(file);
}

/** Removes the record of a NIC. Succeeds if it does not exist. */
export function removeAttachment(containerId: string, ifname: string, directory: string): void {
  rmSync(getFilePath(containerId, ifname, directory), { force: true });
}

/** Reads the record of a NIC; returns undefined if it does not exist or is not valid. */
export function readAttachment(containerId: string, ifname: string, directory: string): Attachment | undefined {
  return readAttachmentFile(getFilePath(containerId, ifname, directory));
}

/**
 * Lists the valid records.
 *
 * @param containerId only records of this container; all records if undefined
 */
export function listAttachments(directory = ATTACHMENTS_DIRECTORY, containerId?: string): readonly Attachment[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // no pod has been attached yet
  }
  if (containerId === undefined) forgetRemoved(directory, new Set(names));
  return names
    .filter((name) => name.endsWith(".json") && (containerId === undefined || name.startsWith(`${containerId}-`)))
    .flatMap((name) => readAttachmentFile(join(directory, name)) ?? [])
    .filter((attachment) => containerId === undefined || attachment.containerId === containerId);
}

/** Returns the items (describeItem) that other NICs of the same pod also need: they stay when one NIC is removed. */
export function findSharedItems(containerId: string, ifname: string, directory: string): ReadonlySet<string> {
  const otherNics = listAttachments(directory, containerId).filter((attachment) => attachment.ifname !== ifname);
  return new Set(otherNics.flatMap(({ plan }) => plan.items.map(describeItem)));
}

/**
 * Reads a record file; returns undefined if it does not exist or is not valid.
 * @returns the same object as before if the text is unchanged
 */
export function readAttachmentFile(file: string): Attachment | undefined {
  const cached = lastRead.get(file);
  try {
    const text = readOwnFile(file);
    if (text === cached?.text) return cached.attachment;
    const attachment = recordSchema.parse(JSON.parse(text));
    lastRead.set(file, { text, attachment });
    return attachment;
  } catch {
    lastRead.delete(file);
    return undefined;
  }
}

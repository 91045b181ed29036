import type { Cluster } from "../../clusters/provider/provider.ts";
import { explainPod, readAttachmentRecords } from "../support/attachment-records.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { attachmentRecord, type AttachmentRecord } from "./mutant.ts";

/** Reads the records of the suite's pods on a node. */
export async function readRecords(cluster: Cluster, node: string): Promise<readonly AttachmentRecord[]> {
  return (await readAttachmentRecords(cluster, node))
    .map((record) => attachmentRecord.parse(record))
    .filter(({ pod }) => pod.namespace === NAMESPACE)
    .sort((a, b) => a.pod.name.localeCompare(b.pod.name));
}

/** Whether the kernel has every item of the record's plan, according to `interlay explain`. */
export async function isComplete(cluster: Cluster, node: string, { pod }: AttachmentRecord): Promise<boolean> {
  const { exitCode, stdout } = await explainPod(cluster, node, pod);
  return exitCode === 0 && !stdout.includes("MISSING");
}

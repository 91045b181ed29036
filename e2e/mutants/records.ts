import type { Cluster } from "../../clusters/provider.ts";
import { execOrThrow } from "../support/agent-process.ts";
import { NAMESPACE } from "../pods/pods.ts";
import { attachmentRecord, type AttachmentRecord } from "./mutant.ts";

const RECORDS = "/var/lib/interlay/attachments";
const INTERLAY = "/opt/cni/bin/interlay";

/** Reads the records of the suite's pods on a node. */
export async function readRecords(cluster: Cluster, node: string): Promise<readonly AttachmentRecord[]> {
  const names = (await execOrThrow(cluster, node, ["ls", RECORDS]))
    .split("\n")
    .filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(names.map((name) => execOrThrow(cluster, node, ["cat", `${RECORDS}/${name}`])));
  return texts
    .map((text) => attachmentRecord.parse(JSON.parse(text)))
    .filter(({ pod }) => pod.namespace === NAMESPACE)
    .sort((a, b) => a.pod.name.localeCompare(b.pod.name));
}

/** Whether the kernel has every item of the record's plan, according to `interlay explain`. */
export async function isComplete(cluster: Cluster, node: string, { pod }: AttachmentRecord): Promise<boolean> {
  const { exitCode, stdout } = await cluster.exec(node, [INTERLAY, "explain", "--pod", `${pod.namespace}/${pod.name}`]);
  return exitCode === 0 && !stdout.includes("MISSING");
}

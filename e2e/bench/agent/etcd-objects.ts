import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";

/** An object as etcd has it. */
export interface StoredObject {
  /** Part of etcd's key that names the kind, for example `minions` or `interlay.dev/nodestates`. */
  readonly prefix: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

const TRANSACTION = "http://127.0.0.1:2379/v3/kv/txn";
/** Objects of a transaction: etcd's limit is 128 operations. */
const BATCH = 100;
const PARALLEL = 4;

/**
 * Writes cluster-scoped objects to a lab's etcd, from which the API server reads them: it would take an hour to create 150,000
 * objects by requests.
 *
 * @throws if etcd refuses a transaction
 */
export async function writeToEtcd(cluster: Cluster, objects: readonly StoredObject[]): Promise<void> {
  const node = cluster.nodes[0]?.name ?? "";
  const created = new Date().toISOString();
  const batches = Array.from({ length: Math.ceil(objects.length / BATCH) }, (_, index) =>
    objects.slice(index * BATCH, (index + 1) * BATCH),
  );
  await pLimit(PARALLEL).map(batches, async (batch) => {
    const success = batch.map((object) => ({ requestPut: encodeObject(object, created) }));
    const argv = ["curl", "--silent", "--show-error", "--fail", TRANSACTION, "--data-binary", "@-"];
    const answer = await runOnNode(cluster, node, argv, { stdin: JSON.stringify({ success }) });
    if (!answer.includes('"succeeded":true')) throw new Error(`etcd refused ${batch.length} objects: ${answer}`);
  });
}

function encodeObject({ prefix, metadata, ...object }: StoredObject, creationTimestamp: string) {
  const stored = { ...object, metadata: { ...metadata, uid: randomUUID(), generation: 1, creationTimestamp } };
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  return { key: encode(`/registry/${prefix}/${metadata.name}`), value: encode(JSON.stringify(stored)) };
}

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
/** Objects of a transaction: etcd's limit is 128 operations, and curl's 100 kB for a line of its configuration. */
const BATCH = 50;
/** Transactions of one process of curl. */
const TRANSACTIONS = 20;
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
  const transactions = splitArray(objects, BATCH).map((batch) =>
    JSON.stringify({ success: batch.map((object) => ({ requestPut: encodeObject(object, created) })) }),
  );
  await pLimit(PARALLEL).map(splitArray(transactions, TRANSACTIONS), async (bodies) => {
    const answer = await runOnNode(cluster, node, ["curl", "--config", "-"], { stdin: buildCurlConfig(bodies) });
    const succeeded = answer.split('"succeeded":true').length - 1;
    if (succeeded !== bodies.length)
      throw new Error(`etcd accepted ${succeeded} of ${bodies.length} transactions: ${answer}`);
  });
}

/** Builds curl's configuration for one request after another. */
function buildCurlConfig(bodies: readonly string[]): string {
  return bodies
    .map((body) =>
      ["silent", "show-error", "fail", `url = "${TRANSACTION}"`, `data = ${JSON.stringify(body)}`].join("\n"),
    )
    .join("\nnext\n");
}

function splitArray<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function encodeObject({ prefix, metadata, ...object }: StoredObject, creationTimestamp: string) {
  const stored = { ...object, metadata: { ...metadata, uid: randomUUID(), generation: 1, creationTimestamp } };
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  return { key: encode(`/registry/${prefix}/${metadata.name}`), value: encode(JSON.stringify(stored)) };
}

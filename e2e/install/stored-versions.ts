import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { API_GROUP } from "../../plugin/kubernetes/objects.ts";
import { runOnNode } from "../support/agent-process.ts";

const RANGE = "http://127.0.0.1:2379/v3/kv/range";
const PREFIX = `/registry/${API_GROUP}/`;

const range = z.object({ kvs: z.array(z.object({ value: z.base64() })).default([]) });
const storedObject = z.object({ apiVersion: z.string(), kind: z.string() });

/** Returns the versions in which a lab's etcd has Interlay's objects, as `KIND APIVERSION`, each once. */
export async function listStoredVersions(cluster: Cluster): Promise<readonly string[]> {
  const end = `${PREFIX.slice(0, -1)}0`; // the key after all that begin with the prefix
  const query = JSON.stringify({ key: encode(PREFIX), range_end: encode(end) });
  const node = cluster.nodes[0]?.name ?? "";
  const answer = await runOnNode(cluster, node, ["curl", "--silent", "--show-error", "--fail", "--data", query, RANGE]);
  const versions = range
    .parse(JSON.parse(answer))
    .kvs.map(({ value }) => storedObject.parse(JSON.parse(Buffer.from(value, "base64").toString())))
    .map(({ kind, apiVersion }) => `${kind} ${apiVersion}`);
  return [...new Set(versions)].sort();
}

const encode = (text: string): string => Buffer.from(text).toString("base64");

import { redactSecrets } from "../../e2e/snapshot/redact.ts";
import type { NodeSnapshots } from "../doctor/node-snapshots.ts";

const UNAVAILABLE_FILE = "unavailable.txt";

interface DumpParts {
  /** Texts by file name, without secrets. */
  readonly files: ReadonlyMap<string, string>;
  /** Files that the doctor reads on nodes. */
  readonly doctor: NodeSnapshots;
  /** Sentences about further sources that could not be read. */
  readonly unavailable: readonly string[];
  /** Content of sysdump.json. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Returns the files of a dump: one per source, sysdump.json, and unavailable.txt if something could not be read. */
export function composeDump({ files, doctor, unavailable, about }: DumpParts): ReadonlyMap<string, string> {
  const composed = new Map(files);
  for (const node of doctor.nodes)
    composed.set(`nodes/${node.node}/doctor.json`, redactSecrets(`${JSON.stringify(node, null, 1)}\n`));
  const lines = [
    ...(files.get(UNAVAILABLE_FILE)?.split("\n") ?? []),
    ...doctor.failed.map(({ node, error }) => `nodes/${node}/doctor.json: ${error.replaceAll(/\s+/g, " ")}`),
    ...unavailable,
  ].filter((line) => line !== "");
  if (lines.length > 0) composed.set(UNAVAILABLE_FILE, redactSecrets(`${lines.sort().join("\n")}\n`));
  composed.set("sysdump.json", `${JSON.stringify({ ...about, unavailable: lines.length }, null, 1)}\n`);
  return composed;
}

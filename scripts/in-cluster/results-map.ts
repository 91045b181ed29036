import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";

/** Limit of the API server for the values of a ConfigMap together. */
const LIMIT_BYTES = 1024 * 1024;
/** Space for the names of the keys and the ConfigMap's metadata. */
const RESERVED_BYTES = 8 * 1024;

/** Key with the exit status of the run. */
const EXIT_STATUS = "exit-status";
/** Key with the names of files that did not fit. */
const LEFT_OUT = "left-out";

/** Content of a ConfigMap with the results of a run. */
interface ResultsMap {
  readonly data: Readonly<Record<string, string>>;
  /** Values in base64. */
  readonly binaryData: Readonly<Record<string, string>>;
}

/** Results of a run, read from its ConfigMap. */
export interface FetchedResults {
  readonly exitStatus: number;
  /** Files of the run, uncompressed. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Names of files that did not fit. */
  readonly leftOut: readonly string[];
}

/**
 * Packs the results of a run into a ConfigMap. report.json is compressed; the other files are uncompressed if they fit, else
 * compressed, else left out.
 * @param files by name, the most important first
 */
export function packResults(
  files: ReadonlyMap<string, Buffer>,
  exitStatus: number,
  limit = LIMIT_BYTES - RESERVED_BYTES,
): ResultsMap {
  const data: Record<string, string> = { [EXIT_STATUS]: String(exitStatus) };
  const binaryData: Record<string, string> = {};
  const leftOut: string[] = [];
  let freeBytes = limit;
  for (const [name, content] of files) {
    const compressed = name.endsWith(".gz") ? content : gzipSync(content);
    const isText = name !== "report.json" && !name.endsWith(".gz");
    if (isText && content.length <= freeBytes) {
      data[name] = content.toString();
      freeBytes -= content.length;
    } else if (compressed.length <= freeBytes) {
      binaryData[name.endsWith(".gz") ? name : `${name}.gz`] = compressed.toString("base64");
      freeBytes -= compressed.length;
    } else leftOut.push(name);
  }
  if (leftOut.length > 0) data[LEFT_OUT] = leftOut.join("\n");
  return { data, binaryData };
}

const resultsMap = z.object({
  data: z.looseObject({ [EXIT_STATUS]: z.string().regex(/^\d+$/), [LEFT_OUT]: z.string().optional() }),
  binaryData: z.record(z.string(), z.string()).optional(),
});

/** Reads the results that `packResults` packed. @throws if the ConfigMap has no exit status */
export function unpackResults(map: unknown): FetchedResults {
  const { data, binaryData = {} } = resultsMap.parse(map);
  const texts = Object.entries(data).flatMap(([name, text]) =>
    name === EXIT_STATUS || name === LEFT_OUT || typeof text !== "string" ? [] : [[name, Buffer.from(text)] as const],
  );
  const compressed = Object.entries(binaryData).map(([name, base64]) => {
    const content = Buffer.from(base64, "base64");
    return name.endsWith(".tar.gz")
      ? ([name, content] as const)
      : ([name.replace(/\.gz$/, ""), gunzipSync(content)] as const);
  });
  return {
    exitStatus: Number(data[EXIT_STATUS]),
    files: new Map([...texts, ...compressed]),
    leftOut: data[LEFT_OUT]?.split("\n") ?? [],
  };
}

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What this node's pods hold, for when the API server does not answer. One file an address. */
export const RECORDS_DIRECTORY = "/var/lib/interlay/addresses";

const record = z.object({
  schema: z.literal("interlay.address/v1"),
  /** The UnderlayAddress object. */
  name: z.string(),
  uid: z.string(),
  address: z.string(),
  prefixLength: z.number(),
  gateway: z.string().optional(),
  routes: z.array(z.object({ dst: z.string(), gw: z.string().optional() })),
  pool: z.string(),
  containerId: z.string(),
  ifname: z.string(),
  network: z.string(),
  netns: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  /** The container is gone, and the API server does not know yet. */
  released: z.boolean(),
  /** The object has another container id than this record: the API server does not know yet. */
  stale: z.boolean(),
  /** By the pod's annotation: the NIC that has the default route. */
  defaultRouteNic: z.string().optional(),
});
export type AddressRecord = Omit<z.infer<typeof record>, "schema">;

/** The records in memory, each change on disk before it counts. */
export class Records {
  readonly #directory: string;
  readonly #records = new Map<string, AddressRecord>();

  constructor(directory = RECORDS_DIRECTORY) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory).filter((file) => file.endsWith(".json"))) {
      const parsed = record.safeParse(readJson(join(directory, name)));
      if (parsed.success) this.#records.set(parsed.data.name, parsed.data);
    }
  }

  all(): readonly AddressRecord[] {
    return [...this.#records.values()];
  }

  /** Appears whole or not at all. */
  write(entry: AddressRecord): void {
    const file = join(this.#directory, `${entry.name}.json`);
    writeFileSync(`${file}.new`, JSON.stringify({ schema: "interlay.address/v1", ...entry }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    this.#records.set(entry.name, entry);
  }

  remove(name: string): void {
    rmSync(join(this.#directory, `${name}.json`), { force: true });
    this.#records.delete(name);
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}

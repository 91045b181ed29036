import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
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
  /** Its object was to be deleted, and perhaps is: no answer came. The API server must be asked before it is used again. */
  leaving: z.boolean().default(false),
  /** By the pod's annotation: the NIC that has the default route. */
  defaultRouteNic: z.string().optional(),
});
export type AddressRecord = Omit<z.infer<typeof record>, "schema">;

/** The records in memory, each change on disk before it counts. */
export class Records {
  readonly #directory: string;
  readonly #records = new Map<string, AddressRecord>();
  /** File -> its time of change when it was read or written. */
  readonly #read = new Map<string, number>();

  constructor(directory = RECORDS_DIRECTORY) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.reread();
  }

  all(): readonly AddressRecord[] {
    return [...this.#records.values()];
  }

  find(name: string): AddressRecord | undefined {
    return this.#records.get(name);
  }

  /** What another agent of this node has written or removed: while one replaces the other there are two. */
  reread(): void {
    const files = readdirSync(this.#directory).filter((file) => file.endsWith(".json"));
    for (const file of files) {
      const path = join(this.#directory, file);
      const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (changed === undefined || changed === this.#read.get(file)) continue;
      const parsed = record.safeParse(readJson(path));
      if (parsed.success) this.#records.set(parsed.data.name, parsed.data);
      this.#read.set(file, changed);
    }
    const there = new Set(files);
    for (const name of [...this.#records.keys()])
      if (!there.has(fileName(name))) {
        this.#records.delete(name);
        this.#read.delete(fileName(name));
      }
  }

  /** Appears whole or not at all. */
  write(entry: AddressRecord): void {
    const file = join(this.#directory, fileName(entry.name));
    writeFileSync(`${file}.new`, JSON.stringify({ schema: "interlay.address/v1", ...entry }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    this.#read.set(fileName(entry.name), statSync(file).mtimeMs);
    this.#records.set(entry.name, entry);
  }

  remove(name: string): void {
    rmSync(join(this.#directory, fileName(name)), { force: true });
    this.#read.delete(fileName(name));
    this.#records.delete(name);
  }
}

const fileName = (name: string): string => `${name}.json`;

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}

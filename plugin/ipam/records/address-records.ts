import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "../../state/own-files.ts";

/** Directory of address records of this node's pods, one file per address. They make ADD and DEL work without the API server. */
const RECORDS_DIRECTORY = "/var/lib/interlay/addresses";

const recordSchema = z.object({
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
  /** The container was deleted; not yet written to the API server. */
  released: z.boolean(),
  /** The record has a newer container id than the object; not yet written to the API server. */
  stale: z.boolean(),
  /** Deletion of the object was requested without a known result. Ask the API server before using the address again. */
  leaving: z.boolean().default(false),
  /** NIC with the default route, by the pod's annotation. */
  defaultRouteNic: z.string().optional(),
});
export type AddressRecord = Omit<z.infer<typeof recordSchema>, "schema">;

/** Address records, kept in memory and written to disk before a change takes effect. */
export class Records {
  readonly #directory: string;
  readonly #records = new Map<string, AddressRecord>();
  /** File -> mtime when it was last read or written. */
  readonly #read = new Map<string, number>();

  constructor(directory = RECORDS_DIRECTORY) {
    this.#directory = directory;
    createOwnDirectory(directory);
    this.reread();
  }

  listRecords(): readonly AddressRecord[] {
    return [...this.#records.values()];
  }

  find(name: string): AddressRecord | undefined {
    return this.#records.get(name);
  }

  /** Reads changes of another agent of this node: during an update there are two. */
  reread(): void {
    const files = this.#listFiles();
    for (const file of files) this.#readFile(file);
    const present = new Set(files);
    for (const name of [...this.#records.keys()])
      if (!present.has(fileName(name))) {
        this.#records.delete(name);
        this.#read.delete(fileName(name));
      }
  }

  /** Reads records that another agent of this node has created since. Faster than `reread`, which looks at each file. */
  readNewFiles(): void {
    for (const file of this.#listFiles()) if (!this.#read.has(file)) this.#readFile(file);
  }

  #listFiles(): readonly string[] {
    return readdirSync(this.#directory).filter((file) => file.endsWith(".json"));
  }

  #readFile(file: string): void {
    const path = join(this.#directory, file);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined || changed === this.#read.get(file)) return;
    const parsed = recordSchema.safeParse(readJson(path));
    if (parsed.success) this.#records.set(parsed.data.name, parsed.data);
    this.#read.set(file, changed);
  }

  /** Writes a record atomically. */
  write(entry: AddressRecord): void {
    const file = join(this.#directory, fileName(entry.name));
    writeFileAtomic(file, JSON.stringify({ schema: "interlay.address/v1", ...entry }));
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
    return JSON.parse(readOwnFile(file)) as unknown;
  } catch {
    return undefined;
  }
}

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { hashContent } from "../components/cache.ts";
import { withLock } from "../components/lock.ts";

/** An image layer: an uncompressed tar in the cache. It stays on this machine, and gzip would take a core. */
export interface Layer {
  readonly tar: string;
  /** `sha256:…` of the tar, its name in image configurations. */
  readonly diffId: string;
  /** Size in bytes. */
  readonly size: number;
}

const record = z.object({ diffId: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number() });

/** Owner of a layer's files: root (for programs), or the owner in the tree (for a Debian root). */
type Ownership = "root" | "kept";

/** Returns the flags with which tar writes the same bytes for the same tree. */
function listTarFlags(ownership: Ownership): readonly string[] {
  const fixed = ["--create", "--format=gnu", "--sort=name", "--mtime=@0", "--numeric-owner"];
  return ownership === "kept" ? fixed : [...fixed, "--owner=0", "--group=0", "--mode=u=rwX,go=rX"];
}

/** Returns size and date of a file, which identify its content: components never change in place. */
export async function identifyFile(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size}:${Math.trunc(mtimeMs)}`;
}

/** Returns a hash of the names, modes and contents of a directory of small files. */
export async function identifyTree(directory: string): Promise<string> {
  const names = (await readdir(directory, { recursive: true })).sort();
  const parts = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const { mode } = await stat(path);
      return [name, mode, (mode & constants.S_IFMT) === constants.S_IFREG ? await readFile(path, "utf8") : ""];
    }),
  );
  return hashContent(parts);
}

/** Writes a directory as a layer to the file `out`. */
export async function packLayer(directory: string, out: string, ownership: Ownership): Promise<Layer> {
  const tar = spawn("tar", [...listTarFlags(ownership), "--directory", directory, "."], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  tar.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => tar.on("error", reject).on("close", resolve));
  const hash = createHash("sha256");
  let size = 0;
  await pipeline(
    tar.stdout,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(out, { mode: 0o600 }),
  );
  const code = await ended;
  if (code !== 0) throw new Error(`tar failed to pack ${directory} (exit code ${String(code)}): ${stderr.trim()}`);
  return { tar: out, diffId: `sha256:${hash.digest("hex")}`, size };
}

/** A cache of layers by key. A layer appears only when it is complete. */
export class LayerCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Returns the layer of a key; undefined if it is missing or incomplete. */
  async find(key: string): Promise<Layer | undefined> {
    const tar = join(this.#directory, `${key}.tar`);
    try {
      const recorded = record.parse(JSON.parse(await readFile(`${tar}.json`, "utf8")));
      if ((await stat(tar)).size !== recorded.size) return undefined;
      // Marks the use for prune.ts. Not on the tar, which another run's tar may be reading ("file changed").
      await utimes(`${tar}.json`, new Date(), new Date());
      return { tar, ...recorded };
    } catch {
      return undefined; // missing or incomplete
    }
  }

  /** Returns the layer of a key. If it is missing, one process calls `fill` with an empty directory. */
  async ensure(key: string, ownership: Ownership, fill: (tree: string) => Promise<void>): Promise<Layer> {
    const cached = await this.find(key);
    if (cached !== undefined) return cached;
    const tar = join(this.#directory, `${key}.tar`);
    return withLock(
      `${tar}.lock`,
      () => undefined,
      async () => (await this.find(key)) ?? (await makeLayer(tar, ownership, fill)),
    );
  }
}

async function makeLayer(tar: string, ownership: Ownership, fill: (tree: string) => Promise<void>): Promise<Layer> {
  const staging = `${tar}.making`;
  const tree = join(staging, "tree");
  await rm(staging, { recursive: true, force: true }); // of a killed run
  await mkdir(tree, { recursive: true, mode: 0o755 });
  try {
    await fill(tree);
    const { diffId, size, tar: archive } = await packLayer(tree, join(staging, "layer.tar"), ownership);
    await rename(archive, tar);
    await writeFile(`${tar}.json`, `${JSON.stringify({ diffId, size })}\n`, { mode: 0o600 });
    return { tar, diffId, size };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { hashContent } from "../components/cache.ts";
import { withLock } from "../components/lock.ts";

/** One image layer: an uncompressed tar in the cache. Uncompressed, because it never leaves this machine and gzip costs a core. */
export interface Layer {
  readonly tar: string;
  /** `sha256:…` of the tar: its name in image configurations. */
  readonly diffId: string;
  /** Bytes. */
  readonly size: number;
}

const record = z.object({ diffId: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number() });

/** Who owns the files in a layer: root (programs we put there), or the owner in the tree (a Debian root). */
type Ownership = "root" | "kept";

/** What makes the same tree always give the same bytes. */
function listTarFlags(ownership: Ownership): readonly string[] {
  const fixed = ["--create", "--format=gnu", "--sort=name", "--mtime=@0", "--numeric-owner"];
  return ownership === "kept" ? fixed : [...fixed, "--owner=0", "--group=0", "--mode=u=rwX,go=rX"];
}

/** Stands for a file's content where reading 100 MB for it would be too slow: components never change in place. */
export async function identifyFile(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size}:${Math.trunc(mtimeMs)}`;
}

/** Stands for a directory of small files: their names, modes and content. */
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

/** Packs a directory as a layer at `out`. */
export async function packLayer(directory: string, out: string, ownership: Ownership): Promise<Layer> {
  const tar = spawn("tar", [...listTarFlags(ownership), "--directory", directory, "."], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  tar.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
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
  if (code !== 0) throw new Error(`tar could not pack ${directory} (exit ${String(code)}): ${complaints.trim()}`);
  return { tar: out, diffId: `sha256:${hash.digest("hex")}`, size };
}

/** Layers already made, by key. A layer appears under its key only when it is whole. */
export class LayerCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async find(key: string): Promise<Layer | undefined> {
    const tar = join(this.#directory, `${key}.tar`);
    try {
      const known = record.parse(JSON.parse(await readFile(`${tar}.json`, "utf8")));
      if ((await stat(tar)).size !== known.size) return undefined;
      // For prune.ts: asked for now. Not the tar itself, which another run's tar may be reading ("file changed").
      await utimes(`${tar}.json`, new Date(), new Date());
      return { tar, ...known };
    } catch {
      return undefined; // absent or incomplete: rebuilt
    }
  }

  /** The layer under `key`; `fill` is called with an empty directory only if there is none yet, and by one process. */
  async ensure(key: string, ownership: Ownership, fill: (tree: string) => Promise<void>): Promise<Layer> {
    const found = await this.find(key);
    if (found !== undefined) return found;
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
  await rm(staging, { recursive: true, force: true }); // a killed run's
  await mkdir(tree, { recursive: true, mode: 0o755 });
  try {
    await fill(tree);
    const { diffId, size, tar: made } = await packLayer(tree, join(staging, "layer.tar"), ownership);
    await rename(made, tar);
    await writeFile(`${tar}.json`, `${JSON.stringify({ diffId, size })}\n`, { mode: 0o600 });
    return { tar, diffId, size };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

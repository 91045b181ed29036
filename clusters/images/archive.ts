import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Layer } from "./layer.ts";

/** `config` of the OCI image specification. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly StopSignal?: string;
  readonly WorkingDir?: string;
}

/** An image as a list of layers. */
export interface Image {
  /** Full reference with tag, e.g. `registry.k8s.io/pause:3.9`. */
  readonly reference: string;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** PATH of every image. */
const PATH_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the image's configuration file, whose SHA-256 is the image's id. */
function renderImageConfig(image: Image): string {
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z", // a fixed date, so that the id depends on the content alone
    config: { ...image.config, Env: [PATH_ENV, ...(image.config.Env ?? [])] },
    rootfs: { type: "layers", diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "interlay" })),
  });
}

/** Returns the image's id without its algorithm: 64 hex digits. */
export function computeImageId(image: Image): string {
  return createHash("sha256").update(renderImageConfig(image)).digest("hex");
}

/** Returns a tag that depends on the content alone. */
export function createContentTag(image: Omit<Image, "reference">): string {
  return computeImageId({ ...image, reference: "" }).slice(0, 16);
}

interface ArchiveLayout {
  /** Contents of small files by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Layers by name; a layer of several images is contained once. */
  readonly layers: ReadonlyMap<string, Layer>;
}

/** Returns the content of a `docker save` archive (Docker image specification v1.2, manifest.json). */
export function planArchive(images: readonly Image[]): ArchiveLayout {
  const layerName = (layer: Layer) => `${layer.diffId.replace("sha256:", "")}.tar`;
  const files = new Map<string, string>();
  const layers = new Map<string, Layer>();
  const manifest = images.map((image) => {
    const config = `${computeImageId(image)}.json`;
    files.set(config, renderImageConfig(image));
    for (const layer of image.layers) layers.set(layerName(layer), layer);
    return { Config: config, RepoTags: [image.reference], Layers: image.layers.map(layerName) };
  });
  files.set("manifest.json", JSON.stringify(manifest));
  return { files, layers };
}

interface ArchiveStream {
  readonly stream: Readable;
  /** Settles when tar has ended and its staging directory is removed. */
  readonly ended: Promise<void>;
}

/** Returns the archive as a stream. Only small files are written; the layers are read from the cache. */
export async function streamArchive(images: readonly Image[]): Promise<ArchiveStream> {
  const layout = planArchive(images);
  const staging = await mkdtemp(join(tmpdir(), "interlay-archive-"));
  await Promise.all([
    ...[...layout.files].map(([name, content]) => writeFile(join(staging, name), content)),
    ...[...layout.layers].map(([name, layer]) => symlink(layer.tar, join(staging, name))),
  ]);
  const names = [...layout.files.keys(), ...layout.layers.keys()];
  const tar = spawn("tar", ["--create", "--dereference", "--directory", staging, ...names], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    tar.on("error", reject);
    tar.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `tar failed with exit code ${String(code)} while streaming ${images.map((image) => image.reference).join(", ")}`,
          ),
        );
    });
  }).finally(() => rm(staging, { recursive: true, force: true }));
  return { stream: tar.stdout, ended };
}

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Layer } from "./layer.ts";

/** What an image runs, as in the OCI image specification's `config`. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly StopSignal?: string;
}

export interface Image {
  /** Full reference with tag, e.g. `registry.k8s.io/pause:3.9`. */
  readonly reference: string;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** Pods' programs are found by name, as in every image that has a shell. */
const PATH_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The image's configuration file; its SHA-256 is the image's id. */
function renderImageConfig(image: Image): string {
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z", // a fixed date: equal content, equal id
    config: { ...image.config, Env: [PATH_ENV, ...(image.config.Env ?? [])] },
    rootfs: { type: "layers", diff_ids: image.layers.map((l) => l.diffId) },
    history: image.layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "interlay" })),
  });
}

/** The image's id without its algorithm: 64 hex digits. */
export function computeImageId(image: Image): string {
  return createHash("sha256").update(renderImageConfig(image)).digest("hex");
}

/** A tag that changes exactly when the content does. */
export function createContentTag(image: Omit<Image, "reference">): string {
  return computeImageId({ ...image, reference: "" }).slice(0, 16);
}

interface ArchiveLayout {
  /** Small files, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Layers, by name; a layer that several images share is there once. */
  readonly layers: ReadonlyMap<string, Layer>;
}

/** What lies in a `docker save` archive of these images (Docker image specification v1.2, manifest.json). */
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
  /** Settles when tar has ended and its staging directory is gone. */
  readonly ended: Promise<void>;
}

/** The archive as a stream: nothing is written but the few small files, the layers are read from where they lie. */
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
          new Error(`tar ended with ${String(code)} while streaming ${images.map((i) => i.reference).join(", ")}`),
        );
    });
  }).finally(() => rm(staging, { recursive: true, force: true }));
  return { stream: tar.stdout, ended };
}

import { spawn } from "node:child_process";
import type { DockerEngine } from "../docker/engine.ts";
import { type Image, streamArchive } from "./archive.ts";

/** Pipes an archive of images into a program, like `docker load` or `docker exec -i NODE ctr images import -`. */
export async function pipeArchive(
  images: readonly Image[],
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const [file = "", ...programArguments] = argv;
  const archive = await streamArchive(images);
  const child = spawn(file, programArguments, { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined); // the exit code reports the failure
  archive.stream.pipe(child.stdin);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) {
    archive.ended.catch(() => undefined);
    throw new Error(
      `\`${argv.join(" ")}\` failed to load ${images.map((image) => image.reference).join(", ")} (exit code ${String(code)}): ${stderr.trim()}`,
    );
  }
  await archive.ended;
}

/** Loads an image into Docker if it is missing. */
export async function loadIntoDocker(engine: DockerEngine, image: Image): Promise<void> {
  const { exitCode } = await engine.docker(["image", "inspect", image.reference]);
  if (exitCode !== 0) await pipeArchive([image], ["docker", "load", "--quiet"], engine.env);
}

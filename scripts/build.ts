import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { buildInterlayExecutables } from "../clusters/components/interlay.ts";
import { streamArchive } from "../clusters/images/archive.ts";
import { prepareOwnImages } from "../clusters/images/prepare.ts";
import { createPlainProgress } from "../clusters/progress-plain.ts";
import { buildProbe } from "../e2e/probe/build.ts";

/** `npm run build`: builds the executables, and with `--images` also the two images in one archive. */
const { images } = new Command("build")
  .description("build plugin/dist/interlay, the launcher that a container runtime starts, and interlay-full")
  .option(
    "--images",
    "also build the images of agent and probe, as an archive for `docker load` or `ctr -n k8s.io images import`",
  )
  .parse()
  .opts<{ images?: true }>();

const interlay = await buildInterlayExecutables(createPlainProgress());
process.stdout.write(`${interlay.launcher}\n${interlay.full}\n`);

if (images === true) {
  const own = await prepareOwnImages({ interlay, probe: await buildProbe() }, createPlainProgress());
  const archive = join(import.meta.dirname, "..", "plugin", "dist", "images.tar");
  const { stream, ended } = await streamArchive([own.interlay, own.probe]);
  await pipeline(stream, createWriteStream(`${archive}.new`, { mode: 0o600 }));
  await ended;
  await rename(`${archive}.new`, archive);
  process.stdout.write(`${archive}: ${own.interlay.reference}, ${own.probe.reference}\n`);
}

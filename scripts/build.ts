import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { buildInterlayExecutables } from "../clusters/components/interlay-executables.ts";
import { type Image, streamArchive } from "../clusters/images/archive.ts";
import { prepareOwnImages } from "../clusters/images/prepare.ts";
import { buildSuiteImage } from "../clusters/images/suite-image.ts";
import { createPlainProgress } from "../clusters/progress/plain.ts";
import { buildProbe } from "../e2e/probe/build-probe.ts";
import { type Platform, PLATFORMS } from "../plugin/deploy/platform.ts";
import { buildSingleExecutable } from "./build/single-executable.ts";

/** `npm run build`: builds the executables, and with `--images` also the images in archives. */
const { images, suite, cli, platform } = new Command("build")
  .description("build plugin/dist/interlay, the launcher that a container runtime starts, and interlay-full")
  .option(
    "--images",
    "also build the images of agent and probe, as an archive for `docker load` or `ctr -n k8s.io images import`",
  )
  .option("--suite", "also build the image of the suite (npm run in-cluster), as such an archive")
  .option("--cli", "also build the program interlay as one executable, with its commands for a cluster")
  .addOption(
    new Option(
      "--platform <platform>",
      "build the executables, and the probe's, for a platform: on linux/amd64 they need no AVX2",
    )
      .choices(PLATFORMS)
      .conflicts(["images", "suite"]),
  )
  .parse()
  .opts<{ images?: true; suite?: true; cli?: true; platform?: Platform }>();

const interlay = await buildInterlayExecutables(createPlainProgress(), platform);
process.stdout.write(`${interlay.launcher}\n${interlay.full}\n`);
if (platform !== undefined) process.stdout.write(`${await buildProbe(platform)}\n`);
if (cli === true) process.stdout.write(`${await buildSingleExecutable(platform)}\n`);

if (images === true) {
  const ownImages = await prepareOwnImages({ interlay, probe: await buildProbe() }, createPlainProgress());
  await writeArchive("images.tar", [ownImages.interlay, ownImages.probe]);
}
if (suite === true) await writeArchive("suite.tar", [await buildSuiteImage(await buildProbe(), createPlainProgress())]);

async function writeArchive(name: string, content: readonly Image[]): Promise<void> {
  const archive = join(import.meta.dirname, "..", "plugin", "dist", name);
  const { stream, ended } = await streamArchive(content);
  await pipeline(stream, createWriteStream(`${archive}.new`, { mode: 0o600 }));
  await ended;
  await rename(`${archive}.new`, archive);
  process.stdout.write(`${archive}: ${content.map(({ reference }) => reference).join(", ")}\n`);
}

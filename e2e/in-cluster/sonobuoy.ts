import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { runOrThrow } from "../../clusters/components/run-command.ts";
import type { Image } from "../../clusters/images/archive.ts";
import { LayerCache } from "../../clusters/images/layer.ts";
import { getLayersDirectory } from "../../clusters/images/prepare.ts";
import { buildPodRoot } from "../../clusters/images/base.ts";
import { ImageBuilder } from "../../clusters/images/pod-images.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { currentSignal } from "../harness.ts";

const IMAGE = `docker.io/sonobuoy/sonobuoy:${VERSIONS.sonobuoy}`;
/**
 * Address at which workers find the aggregator: its Service. Sonobuoy v0.57.3 would write the pod's IPv4 address in brackets, which
 * is not a valid URL for programs that are built with Go 1.26.
 */
const CONFIG = { Server: { advertiseaddress: "sonobuoy-aggregator:8080" } };
/** Minutes in which a run of the plugin must end. */
const WAIT_MINUTES = 15;

/** Result of a plugin, as `sonobuoy results` prints it. */
export interface PluginSummary {
  readonly status: string;
  readonly total: number;
  readonly failed: number;
}

/** Parses the output of `sonobuoy results`. @throws if a line is missing */
export function parsePluginSummary(text: string): PluginSummary {
  const findValue = (name: string): string => {
    const value = new RegExp(String.raw`^${name}: *(\S+)$`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`sonobuoy results printed no line "${name}":\n${text}`);
    return value;
  };
  return { status: findValue("Status"), total: Number(findValue("Total")), failed: Number(findValue("Failed")) };
}

/** Client of Sonobuoy for one cluster. */
export class Sonobuoy {
  readonly #program: string;
  readonly #kubeconfig: string;
  /** Image of its aggregator and workers, which the nodes need. */
  readonly image: Image;

  private constructor(program: string, kubeconfig: string, image: Image) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
    this.image = image;
  }

  /** Builds the command and its image. */
  static async create(kubeconfig: string): Promise<Sonobuoy> {
    const progress = createPlainProgress();
    const ref = { name: "sonobuoy", version: VERSIONS.sonobuoy } as const;
    const program = (await resolveComponents([ref], progress)).path("sonobuoy");
    const layers = new LayerCache(getLayersDirectory());
    const builder = new ImageBuilder(layers, await buildPodRoot(layers, progress));
    const image = await builder.build(IMAGE, [{ from: program, to: "sonobuoy" }], {
      debian: true,
      config: { Entrypoint: ["/sonobuoy"] },
    });
    return new Sonobuoy(program, kubeconfig, image);
  }

  /** Runs a plugin to its end. @param plugin its definition in YAML @param directory for files of the run */
  async runPlugin(plugin: string, directory: string): Promise<void> {
    const [file, config] = [join(directory, "plugin.yaml"), join(directory, "sonobuoy.json")];
    await writeFile(file, plugin);
    await writeFile(config, JSON.stringify(CONFIG));
    const images = ["--sonobuoy-image", IMAGE, "--image-pull-policy", "IfNotPresent"];
    await this.#run([
      "run",
      "--config",
      config,
      "--plugin",
      file,
      ...images,
      `--wait=${WAIT_MINUTES}`,
      "--wait-output=Silent",
    ]);
  }

  /** Fetches the archive of the results. @returns its path */
  async retrieve(directory: string): Promise<string> {
    return (await this.#run(["retrieve", directory])).trim();
  }

  /** Unpacks an archive of results into a directory that exists. */
  async unpack(archive: string, directory: string): Promise<void> {
    await runOrThrow(["tar", "--extract", "--gzip", "--no-same-owner", "--file", archive, "--directory", directory]);
  }

  /** Returns what Sonobuoy finds for a plugin in an archive. */
  async summarize(archive: string, plugin: string): Promise<PluginSummary> {
    return parsePluginSummary(await runOrThrow([this.#program, "results", archive, "--plugin", plugin]));
  }

  /** Deletes everything that Sonobuoy created in the cluster. */
  async delete(): Promise<void> {
    await this.#run(["delete", "--wait=5"]);
  }

  #run(argv: readonly string[]): Promise<string> {
    return runOrThrow([this.#program, ...argv, "--kubeconfig", this.#kubeconfig], { signal: currentSignal() });
  }
}

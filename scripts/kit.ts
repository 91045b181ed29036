import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { getCacheRoot } from "../clusters/components/cache.ts";
import { runTimed } from "../clusters/components/timed.ts";
import { createProgress } from "../clusters/progress/create-progress.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { listContents, KIT_SOURCE } from "./kit/contents.ts";
import { packKit } from "./kit/pack.ts";
import { verifyKit } from "./kit/verify-kit.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/** `npm run kit`: packs the suite and its dependencies for a machine without a network. */
const program = new Command("kit")
  .description(
    "pack the project, node_modules, programs, image layers and their checksums into one archive, or verify one",
  )
  .option("--kubernetes <version>", "version of the control plane", DEFAULT_SPEC.kubernetes)
  .option("--kube-proxy <list>", "versions of kube-proxy", "v1.28.15,v1.29.15")
  .option("--lab", "without the parts that only kind needs")
  .option("--out <file>", "path of the archive", join(KIT_SOURCE, "plugin", "dist", "interlay-kit.tar"))
  .option(
    "--verify <provider>",
    "unpack an existing archive and run the suite from it without a network, on lab or kind",
  )
  .parse();
const flags = program.opts<{ kubernetes: string; kubeProxy: string; lab?: true; out: string; verify?: string }>();
const progress = createProgress();
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

try {
  const archive = resolve(flags.out);
  if (flags.verify === undefined) {
    const options = { kubernetes: flags.kubernetes, kubeProxies: flags.kubeProxy.split(","), kind: flags.lab !== true };
    const contents = await listContents(options, progress);
    await mkdir(dirname(archive), { recursive: true });
    const sources = { project: KIT_SOURCE, cache: getCacheRoot() };
    const files = await runTimed(progress, `pack ${archive}`, () => packKit(sources, contents, archive));
    print(`${archive}: ${files} files, ${Math.round((await stat(archive)).size / 2 ** 20)} MiB`);
    print(
      "On the other machine: tar --extract --file interlay-kit.tar && cd interlay-kit && sha256sum --check --quiet SHA256SUMS && npm run e2e",
    );
  } else {
    const versions = ["--kubernetes", flags.kubernetes, "--kube-proxy", flags.kubeProxy];
    const argv = ["--provider", flags.verify, "--name", "kit", ...versions];
    process.exitCode = await verifyKit(archive, dirname(archive), argv, print);
  }
} catch (error) {
  process.stderr.write(`kit: ${getErrorMessage(error)}\n`);
  process.exitCode = 1;
}

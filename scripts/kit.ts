import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { getCacheRoot } from "../clusters/components/cache.ts";
import { runTimed } from "../clusters/components/timed.ts";
import { createProgress } from "../clusters/create-progress.ts";
import { DEFAULT_SPEC } from "../clusters/provider.ts";
import { listContents, ROOT } from "./kit/contents.ts";
import { packKit } from "./kit/pack.ts";
import { verifyKit } from "./kit/verify.ts";

/** `npm run kit`: the suite with everything it needs, for a machine without a network. */
const program = new Command("kit")
  .description("pack the project, node_modules, programs, image layers and their checksums into one archive")
  .option("--kubernetes <version>", "the control plane's version", DEFAULT_SPEC.kubernetes)
  .option("--kube-proxy <list>", "versions", "v1.28.15,v1.29.15")
  .option("--lab", "without what only kind needs")
  .option("--out <file>", "the archive", join(ROOT, "plugin", "dist", "interlay-kit.tar"))
  .option(
    "--prove <provider>",
    "unpack an archive that is there, and run the suite from it without a network: lab, kind",
  )
  .parse();
const flags = program.opts<{ kubernetes: string; kubeProxy: string; lab?: true; out: string; prove?: string }>();
const progress = createProgress();
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

try {
  const archive = resolve(flags.out);
  if (flags.prove === undefined) {
    const options = { kubernetes: flags.kubernetes, kubeProxies: flags.kubeProxy.split(","), kind: flags.lab !== true };
    const contents = await listContents(options, progress);
    await mkdir(dirname(archive), { recursive: true });
    const sources = { project: ROOT, cache: getCacheRoot() };
    const files = await runTimed(progress, `pack ${archive}`, () => packKit(sources, contents, archive));
    say(`${archive}: ${files} files, ${Math.round((await stat(archive)).size / 2 ** 20)} MiB`);
    say(
      "There: tar --extract --file interlay-kit.tar && cd interlay-kit && sha256sum --check --quiet SHA256SUMS && npm run e2e",
    );
  } else {
    const versions = ["--kubernetes", flags.kubernetes, "--kube-proxy", flags.kubeProxy];
    const argv = ["--provider", flags.prove, "--name", "kit", ...versions];
    process.exitCode = await verifyKit(archive, dirname(archive), argv, say);
  }
} catch (error) {
  process.stderr.write(`kit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

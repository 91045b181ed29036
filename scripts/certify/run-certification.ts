import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { parseExistingOptions } from "../../clusters/existing/existing-options.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { type RecordedRun, writeCertificate } from "../../e2e/certify/assemble.ts";
import { countWorkers } from "../../e2e/certify/audit.ts";
import { describeUnnamedProduct } from "../../e2e/certify/unnamed-product.ts";
import { runSuite } from "../../e2e/certify/run-suite.ts";
import { buildClusterSpec } from "../../e2e/support/build-cluster-spec.ts";
import { parseRunOptions } from "../../e2e/support/run-options.ts";
import { type Product, productSchema } from "../../results/certificate/product.ts";
import { type ProfileName, PROFILES } from "../../results/certificate/certificate-schema.ts";
import { readReport, RESULTS } from "../../results/files/write.ts";
import { findRun } from "../report/runs.ts";
import { printVerification } from "./print-verification.ts";

/** Options of a certification run, as commander parses them. */
export interface CertifyFlags {
  readonly repeat: string;
  readonly profile?: string;
  readonly peers?: string;
  readonly product?: string;
  readonly key?: string;
  readonly publicKey?: string;
  readonly out?: string;
  readonly provider: string;
  readonly kubeProxy?: string;
  readonly returnPath?: string;
  readonly kubernetes?: string;
  readonly family?: string;
  readonly nodes: string;
  readonly name: string;
  readonly yes?: true;
  readonly hostPods: boolean;
  readonly keep?: true;
}

const positiveInteger = z.coerce.number().int().positive();

/**
 * Runs the suite, writes the certificate and verifies it.
 * @returns whether the certificate is valid and passes
 * @throws if an option is invalid, the preflight finds an error, or --yes is missing for an existing cluster
 */
export async function runCertification(
  flags: CertifyFlags,
  print: (text: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const isExisting = flags.provider === "existing";
  const claimed = parseProfiles(flags.profile ?? (isExisting ? "connectivity" : "base,node-port-local"));
  const [repeat, workers] = [positiveInteger.parse(flags.repeat), positiveInteger.parse(flags.nodes)];
  const product = flags.product === undefined ? undefined : await readProduct(flags.product);
  const peers = flags.peers === undefined ? undefined : await findRun(flags.peers);
  if (claimed.includes("sig-network") && peers === undefined)
    throw new Error("profile sig-network needs --peers RUN: run `npm run peers` with the same versions first");
  const privateKey = flags.key === undefined ? undefined : await readFile(flags.key, "utf8");
  await runPreflight(flags, workers, env);
  if (isExisting && flags.yes !== true)
    throw new Error(
      "the preflight found no error, and nothing was changed: add --yes to run the suite in that cluster",
    );
  const argv = createArguments(flags, claimed);
  const runs: RecordedRun[] = [];
  for (let run = 1; run <= repeat; run++) {
    print(`\n== run ${run} of ${repeat}\n`);
    const keep = run < repeat || flags.keep === true ? ["--keep"] : [];
    runs.push(await runSuite([...argv, ...keep, ...(run === 1 ? ["--snapshot"] : [])], print, env));
  }
  const id = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const directory = flags.out ?? join(RESULTS, "certificates", id);
  const report = await readReport(runs[0]?.directory ?? "");
  await writeCertificate(
    {
      runs,
      workers: isExisting ? countWorkers(report) : workers,
      claimed,
      product: product ?? describeUnnamedProduct(report),
      ...(peers === undefined ? {} : { peers }),
      ...(privateKey === undefined ? {} : { privateKey }),
    },
    directory,
  );
  print(`\nsubmission: ${directory}\n`);
  return printVerification(directory, print, flags.publicKey);
}

/** Returns the arguments of `npm run e2e` for each run. */
function createArguments(flags: CertifyFlags, claimed: readonly ProfileName[]): readonly string[] {
  const family = flags.family ?? (claimed.includes("dual-stack") ? "dual" : undefined);
  const values = {
    "--provider": flags.provider,
    "--kube-proxy": flags.kubeProxy,
    "--return-path": flags.returnPath,
    "--kubernetes": flags.kubernetes,
    "--family": family,
    "--nodes": flags.nodes,
    "--name": flags.name,
  };
  return [
    ...Object.entries(values).flatMap(([option, value]) => (value === undefined ? [] : [option, value])),
    ...(flags.provider === "existing" ? ["--yes"] : ["--evidence", "all"]),
    ...(flags.hostPods ? [] : ["--no-host-pods"]),
    ...(claimed.includes("policy") ? ["--suite", "matrix,agent", "--label", "matrix || policy"] : []),
  ];
}

function parseProfiles(list: string): readonly ProfileName[] {
  return list.split(",").map((name) => {
    const profile = PROFILES.find((candidate) => candidate === name.trim());
    if (profile === undefined) throw new Error(`unknown profile "${name}": want one of ${PROFILES.join(", ")}`);
    return profile;
  });
}

/** Reports the findings of the preflight before a cluster is brought up. @throws if one is an error */
async function runPreflight(
  { provider: name, name: cluster }: CertifyFlags,
  workers: number,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const provider = await loadProvider(name, name === "existing" ? parseExistingOptions(env) : undefined);
  const findings = await provider.preflight(await buildClusterSpec({ ...parseRunOptions({}), name: cluster, workers }));
  for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
  if (findings.some(({ severity }) => severity === "error")) throw new Error("preflight failed, see above");
}

/** Reads the product file. @throws if it is invalid */
async function readProduct(file: string): Promise<Product> {
  const parsed = productSchema.safeParse(parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new Error(`invalid product file ${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

import { readFile, stat, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { runOptions, specFor } from "../e2e/support/context.ts";
import { loadProvider } from "../clusters/providers.ts";
import { type Product, productSchema, PROFILES } from "../results/certificate/schema.ts";
import { readReport, RESULTS } from "../results/write.ts";
import packageJson from "../package.json" with { type: "json" };
import { countWorkers } from "../e2e/certify/audit.ts";
import { type RecordedRun, writeCertificate } from "../e2e/certify/assemble.ts";
import { runSuite } from "../e2e/certify/suite-run.ts";
import { renderCertificate } from "../e2e/certify/summary.ts";
import { verifyCertificate } from "../e2e/certify/verify.ts";

/** `npm run certify`: the vendor's run. `npm run certify -- --verify FILE`: the receiver's check. See docs/certify.md. */
const program = new Command("certify")
  .description("run the suite several times with all evidence and write a certificate, or verify one")
  .option("--verify <file>", "check a certificate.json, or the directory that it is in, against its bundle")
  .option("--public-key <file>", "with --verify: the vendor's public key (PEM), which it must be signed with")
  .option("--new-key <file>", "make a key pair: FILE to sign with, FILE.pub to hand out")
  .option("--repeat <n>", "runs of the whole suite", "3")
  .option(
    "--profile <list>",
    `what is claimed, of ${PROFILES.join(", ")} (default: base,node-port-local; with --provider existing: connectivity)`,
  )
  .option("--product <file>", "YAML: vendor, name, version, website, documentation, contact")
  .option("--key <file>", "ed25519 private key (PEM) to sign with")
  .option("--out <directory>", "where the submission goes (results/certificates/ID)")
  .option("--provider <name>", "as of npm run e2e", "kind")
  .option("--kube-proxy <list>", "as of npm run e2e")
  .option("--return-path <list>", "as of npm run e2e")
  .option("--kubernetes <version>", "as of npm run e2e")
  .option("--family <family>", "as of npm run e2e; the profile dual-stack runs dual")
  .option("--nodes <n>", "worker nodes", "2")
  .option("--name <name>", "cluster name", "certify")
  .option("--kubeconfig <file>", "with --provider existing: which cluster; else $KUBECONFIG or the usual place")
  .option("--context <name>", "with --provider existing: of the kubeconfig, if not its current one")
  .option("--yes", "with --provider existing: run the suite there; without it nothing is changed")
  .option("--datapath <which>", "with --provider existing: interlay, or none for another solution")
  .option("--network <namespace/name>", "with --provider existing: as of npm run e2e")
  .option("--pool <range>", "with --provider existing: as of npm run e2e")
  .option("--subnet <cidr>", "with --provider existing: as of npm run e2e")
  .option("--uplink <link>", "with --provider existing: as of npm run e2e")
  .option("--image <reference>", "with --provider existing: as of npm run e2e")
  .option("--agent-image <reference>", "with --provider existing: as of npm run e2e")
  .option("--no-host-pods", "with --provider existing: as of npm run e2e")
  .option("--keep", "leave the cluster as it is")
  .parse();
const flags = program.opts<{
  verify?: string;
  publicKey?: string;
  newKey?: string;
  repeat: string;
  profile?: string;
  product?: string;
  key?: string;
  out?: string;
  provider: string;
  kubeProxy?: string;
  returnPath?: string;
  kubernetes?: string;
  family?: string;
  nodes: string;
  name: string;
  kubeconfig?: string;
  context?: string;
  yes?: true;
  datapath?: string;
  network?: string;
  pool?: string;
  subnet?: string;
  uplink?: string;
  image?: string;
  agentImage?: string;
  hostPods: boolean;
  keep?: true;
}>();
const existing = flags.provider === "existing";
// The preflight here and the runs, which are processes of their own, both read these from the environment.
for (const [name, value] of Object.entries({
  INTERLAY_KUBECONFIG: flags.kubeconfig,
  INTERLAY_CONTEXT: flags.context,
  INTERLAY_DATAPATH: flags.datapath,
  INTERLAY_NETWORK: flags.network,
  INTERLAY_POOL: flags.pool,
  INTERLAY_SUBNET: flags.subnet,
  INTERLAY_UPLINK: flags.uplink,
  INTERLAY_IMAGE: flags.image,
  INTERLAY_AGENT_IMAGE: flags.agentImage,
  INTERLAY_NODES: existing ? flags.nodes : undefined,
  INTERLAY_HOST_PODS: flags.hostPods ? undefined : "false",
}))
  if (value !== undefined) process.env[name] = value;
const say = (text: string): void => {
  process.stdout.write(text);
};

try {
  if (flags.newKey !== undefined) await makeKey(flags.newKey);
  else process.exitCode = flags.verify === undefined ? await certify() : await verify(flags.verify);
} catch (error) {
  process.stderr.write(`certify: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function certify(): Promise<number> {
  const { claimed, repeat, workers } = wishes();
  const product = await productOf(flags.product);
  const privateKey = flags.key === undefined ? undefined : await readFile(flags.key, "utf8");
  await preflight();
  if (existing && flags.yes !== true)
    throw new Error(
      "the preflight found no error, and nothing was changed: add --yes to run the suite in that cluster",
    );
  const passed = ["provider", "kubeProxy", "returnPath", "kubernetes", "family", "nodes", "name"] as const;
  if (claimed.includes("dual-stack")) flags.family ??= "dual";
  const argv = [
    ...passed.flatMap((name) => {
      const value = flags[name];
      return value === undefined ? [] : [`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value];
    }),
    ...(existing ? ["--yes"] : ["--evidence", "all"]),
    ...(flags.hostPods ? [] : ["--no-host-pods"]),
    ...(claimed.includes("policy") ? ["--suite", "matrix,agent", "--label", "matrix || policy"] : []),
  ];
  const runs: RecordedRun[] = [];
  for (let run = 1; run <= repeat; run++) {
    say(`\n== run ${run} of ${repeat}\n`);
    const keep = run < repeat || flags.keep === true ? ["--keep"] : [];
    runs.push(await runSuite([...argv, ...keep, ...(run === 1 ? ["--snapshot"] : [])], say));
  }
  const id = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const directory = flags.out ?? join(RESULTS, "certificates", id);
  const certificate = await writeCertificate(
    {
      runs,
      workers: existing ? countWorkers(await readReport(runs[0]?.directory ?? "")) : workers,
      claimed,
      product,
      suite: packageJson.version,
      ...(privateKey === undefined ? {} : { privateKey }),
    },
    directory,
  );
  say(`\n${renderCertificate(certificate)}\n\nsubmission: ${directory}\n`);
  return (await verify(directory)) === 0 && certificate.result === "pass" ? 0 : 1;
}

async function verify(place: string): Promise<number> {
  const file = (await stat(place)).isDirectory() ? join(place, "certificate.json") : place;
  const trusted = flags.publicKey === undefined ? undefined : await readFile(flags.publicKey, "utf8");
  const { certificate, problems } = await verifyCertificate(file, trusted);
  if (flags.verify !== undefined && certificate !== undefined) say(`${renderCertificate(certificate)}\n`);
  for (const problem of problems.slice(0, 20)) say(`✗ ${problem}\n`);
  if (problems.length > 20) say(`✗ and ${problems.length - 20} more\n`);
  say(
    problems.length > 0
      ? "REFUSED: the certificate does not hold.\n"
      : "verified: schema, digest, completeness, verdicts from the raw results.\n",
  );
  return problems.length === 0 && certificate?.result === "pass" ? 0 : 1;
}

function wishes() {
  const wanted = flags.profile ?? (existing ? "connectivity" : "base,node-port-local");
  const claimed = wanted.split(",").map((name) => {
    const profile = PROFILES.find((one) => one === name.trim());
    if (profile === undefined) throw new Error(`unknown profile "${name}": want one of ${PROFILES.join(", ")}.`);
    return profile;
  });
  const whole = z.coerce.number().int().positive();
  return { claimed, repeat: whole.parse(flags.repeat), workers: whole.parse(flags.nodes) };
}

/** What would end the first run is said before anything is brought up. */
async function preflight(): Promise<void> {
  const provider = await loadProvider(flags.provider);
  const spec = await specFor({ ...runOptions({}), name: flags.name, workers: wishes().workers });
  const findings = await provider.preflight(spec);
  for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
  if (findings.some(({ severity }) => severity === "error")) throw new Error("preflight: see above.");
}

async function productOf(file: string | undefined): Promise<Product> {
  if (file === undefined)
    return {
      vendor: existing ? "unnamed (no --product)" : "Interlay",
      name: existing ? "existing cluster" : `reference cluster (${flags.provider})`,
      version: packageJson.version,
    };
  const parsed = productSchema.safeParse(parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new Error(`invalid product file ${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

async function makeKey(file: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  // Never overwrites an existing key.
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  await writeFile(`${file}.pub`, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
  say(`${file}: keep it; ${file}.pub: hand it out\n`);
}

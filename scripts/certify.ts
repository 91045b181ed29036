import { constants, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { publishResults } from "../e2e/certify/publish.ts";
import { createKeyPair } from "./certify/key-pair.ts";
import { type CertifyFlags, runCertification } from "./certify/run-certification.ts";
import { printVerification } from "./certify/print-verification.ts";
import { addCertificationOptions } from "./certify/certification-options.ts";
import { listExistingClusterVariables } from "./e2e/existing-cluster-options.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/** `npm run certify` runs the suite for a vendor; `npm run certify -- --verify FILE` checks a certificate. See docs/certify.md. */
const program = addCertificationOptions(
  new Command("certify")
    .description("run the suite several times with all evidence and write a certificate, or verify one")
    .option("--verify <file>", "verify certificate.json, or the directory that contains it, against its bundle")
    .option("--page <directory>", "verify the submissions in its subdirectories and write its index.html")
    .option("--public-key <file>", "with --verify: public key (PEM) of the vendor that must have signed it")
    .option("--new-key <file>", "create a key pair: FILE to sign with, FILE.pub to publish")
    .option("--init-product <file>", "write an example of the product file"),
  "kind",
).parse();
const flags = program.opts<CertifyFlags & { verify?: string; newKey?: string; initProduct?: string; page?: string }>();
/** Environment of the runs, which are child processes. */
const env = {
  ...process.env,
  ...listExistingClusterVariables(program),
  ...(flags.provider === "existing" ? { INTERLAY_NODES: flags.nodes } : {}),
};
const print = (text: string): void => {
  process.stdout.write(text);
};

try {
  if (flags.newKey !== undefined) {
    await createKeyPair(flags.newKey);
    print(`${flags.newKey}: keep it secret; ${flags.newKey}.pub: publish it\n`);
  } else if (flags.initProduct !== undefined) {
    const example = join(import.meta.dirname, "../examples/product.yaml");
    await copyFile(example, flags.initProduct, constants.COPYFILE_EXCL);
    print(`${flags.initProduct}: replace the values with those of your product\n`);
  } else if (flags.page !== undefined) {
    const submissions = await publishResults(flags.page);
    const rejected = submissions.filter(({ problems }) => problems.length > 0);
    for (const { directory, problems } of rejected) print(`${directory} is rejected: ${problems[0] ?? ""}\n`);
    print(`${join(flags.page, "index.html")}: ${submissions.length} submissions, ${rejected.length} rejected\n`);
    process.exitCode = rejected.length === 0 ? 0 : 1;
  } else if (flags.verify !== undefined)
    process.exitCode = (await printVerification(flags.verify, print, flags.publicKey)) ? 0 : 1;
  else process.exitCode = (await runCertification(flags, print, env)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`certify: ${getErrorMessage(error)}\n`);
  process.exitCode = 2;
}

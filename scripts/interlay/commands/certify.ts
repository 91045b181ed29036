import { constants, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { publishResults } from "../../../e2e/certify/publish.ts";
import { createKeyPair } from "../../certify/key-pair.ts";
import { addCertificationOptions } from "../../certify/certification-options.ts";
import { printVerification } from "../../certify/print-verification.ts";
import { type CertifyFlags, runCertification } from "../../certify/run-certification.ts";
import { readSubmission } from "../../certify/read-submission.ts";
import { listExistingClusterVariables } from "../../e2e/existing-cluster-options.ts";
import { addGlobalOptions, addInheritedOptions, type OutputFormat } from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "..", "examples", "product.yaml");

const print = (text: string): void => {
  process.stdout.write(text);
};

/** `interlay certify run | verify | show | keygen | product | page`: runs the suite for a certificate, and checks certificates. */
export function createCertifyCommand(): Command {
  const group = addInheritedOptions(new Command("certify"));
  group.addCommand(
    addCertificationOptions(new Command("run"), "existing")
      .description("run the suite several times with all evidence, and write a certificate")
      .addHelpText("after", "\nExample:\n  interlay certify run --yes --product product.yaml --key vendor.key")
      .action(run),
  );
  group
    .command("verify")
    .description("verify a certificate against its bundle; exit status 1 if it is rejected or does not pass")
    .argument("<path>", "certificate.json, or the directory that contains it")
    .option("--public-key <file>", "public key (PEM) of the vendor that must have signed it")
    .action(async (path: string, { publicKey }: { publicKey?: string }) => {
      process.exitCode = (await printVerification(path, print, publicKey)) ? 0 : 1;
    });
  const show = group
    .command("show")
    .description("print what a certificate says, without a verification")
    .argument("<path>", "certificate.json, or the directory that contains it");
  addGlobalOptions(show, ["output"]).action(async (path: string, { output }: { output: OutputFormat }) => {
    const { certificate, text } = await readSubmission(path);
    printOutput(output, certificate, () => text);
  });
  group
    .command("keygen")
    .description("create a key pair: FILE to sign with, FILE.pub to publish")
    .argument("<file>")
    .action(async (file: string) => {
      await createKeyPair(file);
      print(`${file}: keep it secret; ${file}.pub: publish it\n`);
    });
  group
    .command("product")
    .description("write an example of the product file, with the keys of CNCF's PRODUCT.yaml")
    .argument("<file>")
    .action(async (file: string) => {
      await copyFile(EXAMPLE, file, constants.COPYFILE_EXCL);
      print(`${file}: replace the values with those of your product\n`);
    });
  const page = group
    .command("page")
    .description("verify the submissions in the subdirectories of a directory, and write its index.html")
    .argument("<directory>");
  addGlobalOptions(page, ["output"]).action(writePage);
  return group;
}

async function run(flags: CertifyFlags, command: Command): Promise<void> {
  const nodes = flags.provider === "existing" ? { INTERLAY_NODES: flags.nodes } : {};
  const env = { ...process.env, ...listExistingClusterVariables(command), ...nodes };
  process.exitCode = (await runCertification(flags, print, env)) ? 0 : 1;
}

async function writePage(directory: string, { output }: { output: OutputFormat }): Promise<void> {
  const submissions = await publishResults(directory);
  const file = join(directory, "index.html");
  const rejected = submissions.filter(({ problems }) => problems.length > 0);
  printOutput(output, { file, submissions }, () =>
    [
      ...rejected.map((submission) => `${submission.directory} is rejected: ${submission.problems[0] ?? ""}`),
      `${file}: ${submissions.length} submissions, ${rejected.length} rejected`,
    ].join("\n"),
  );
  if (rejected.length > 0) process.exitCode = 1;
}

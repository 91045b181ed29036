import { type Command, Option } from "commander";
import { PROVIDER_NAMES } from "../../clusters/spec/provider-name.ts";
import { PROFILES } from "../../results/certificate/certificate-schema.ts";
import { addExistingClusterOptions } from "../e2e/existing-cluster-options.ts";

/** Adds the options of a certification run. @param provider default of `--provider` */
export function addCertificationOptions(command: Command, provider: string): Command {
  command
    .option("--repeat <n>", "number of runs of the whole suite", "3")
    .option(
      "--profile <list>",
      `claimed profiles, of ${PROFILES.join(", ")} (default: base,node-port-local; with --provider existing: connectivity)`,
    )
    .option("--peers <run>", "run of npm run peers whose specs are added, for profile sig-network: id or directory")
    .option("--product <file>", "YAML with the keys of CNCF's PRODUCT.yaml")
    .option("--key <file>", "Ed25519 private key (PEM) to sign with")
    .option("--out <directory>", "directory of the submission (default: results/certificates/ID)")
    .addOption(new Option("--provider <name>", "provider of the cluster").choices(PROVIDER_NAMES).default(provider))
    .option("--kube-proxy <list>", "as for interlay test")
    .option("--return-path <list>", "as for interlay test")
    .option("--kubernetes <version>", "as for interlay test")
    .option("--family <family>", "as for interlay test; profile dual-stack uses dual")
    .option("--nodes <n>", "worker nodes", "2")
    .option("--name <name>", "cluster name", "certify")
    .option("--keep", "leave the cluster as it is");
  return addExistingClusterOptions(command);
}

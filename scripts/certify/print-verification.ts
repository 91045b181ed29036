import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readSuiteVersion } from "../../e2e/support/suite-version.ts";
import { formatSuiteVersion } from "../../results/component-schema.ts";
import { renderCertificate } from "../../e2e/certify/render-certificate.ts";
import { verifyCertificate } from "../../e2e/certify/verify-certificate.ts";

/** Number of problems that are printed. */
const SHOWN_PROBLEMS = 20;

/**
 * Verifies a certificate, and prints it with its problems.
 * @param path certificate.json, or the directory that contains it
 * @param publicKey file with the vendor's public key
 * @returns whether the certificate is valid and passes
 */
export async function printVerification(
  path: string,
  print: (text: string) => void,
  publicKey?: string,
): Promise<boolean> {
  const file = (await stat(path)).isDirectory() ? join(path, "certificate.json") : path;
  const trustedKey = publicKey === undefined ? undefined : await readFile(publicKey, "utf8");
  const { certificate, keyids, problems } = await verifyCertificate(file, trustedKey);
  if (certificate !== undefined) print(`${renderCertificate(certificate, keyids)}\n`);
  const currentSuite = await readSuiteVersion();
  if (certificate !== undefined && !isDeepStrictEqual(certificate.suite, currentSuite))
    print(
      `note: the certificate was made by suite ${formatSuiteVersion(certificate.suite)}; this is ${formatSuiteVersion(currentSuite)}\n`,
    );
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) print(`✗ ${problem}\n`);
  if (problems.length > SHOWN_PROBLEMS) print(`✗ and ${problems.length - SHOWN_PROBLEMS} more\n`);
  print(
    problems.length > 0
      ? "REJECTED: the certificate is not valid.\n"
      : "verified: signature, schema, digests, completeness, results recomputed from the raw data.\n",
  );
  return problems.length === 0 && certificate?.result === "pass";
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readCertificate } from "../../e2e/certify/read-certificate.ts";
import { renderCertificate } from "../../e2e/certify/render-certificate.ts";
import type { Certificate } from "../../results/certificate/certificate-schema.ts";

/**
 * Reads a certificate without verifying its bundle.
 * @param path certificate.json, or the directory that contains it
 * @throws an error if the file is not a certificate
 */
export async function readSubmission(
  path: string,
): Promise<{ readonly certificate: Certificate; readonly text: string }> {
  const file = (await stat(path)).isDirectory() ? join(path, "certificate.json") : path;
  const { envelope, statement, problems } = await readCertificate(file, undefined);
  if (statement === undefined) throw new Error(`${file} is not a certificate: ${problems.join("; ")}`);
  const keyids = envelope?.signatures.map(({ keyid }) => keyid) ?? [];
  return { certificate: statement.predicate, text: renderCertificate(statement.predicate, keyids) };
}

import type { Envelope } from "../../results/certificate/dsse.ts";
import type { Certificate } from "../../results/certificate/certificate-schema.ts";
import { renderCertificatePage } from "../../results/html/certificate-page.ts";
import type { Report } from "../../results/schema.ts";
import { renderReadme } from "./readme.ts";

/**
 * Renders the files of a submission that repeat the certificate for people.
 * @param report the first run
 * @returns the texts by name
 */
export async function renderSubmission(
  certificate: Certificate,
  { signatures }: Pick<Envelope, "signatures">,
  report: Report | undefined,
): Promise<ReadonlyMap<string, string>> {
  const keyids = signatures.map(({ keyid }) => keyid);
  const texts = new Map([["README.md", renderReadme(certificate, keyids)]]);
  if (report !== undefined) texts.set("certificate.html", await renderCertificatePage(certificate, keyids, report));
  return texts;
}

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { type PublishedSubmission, renderResultsPage } from "../../results/html/results-page.ts";
import { CERTIFICATE_FILE } from "./submission-files.ts";
import { verifyCertificate } from "./verify-certificate.ts";

/**
 * Verifies the submissions in the subdirectories of a directory and writes its index.html.
 * @returns the submissions in the order of their names
 * @throws if there is none
 */
export async function publishResults(directory: string): Promise<readonly PublishedSubmission[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length === 0) throw new Error(`${directory} has no subdirectory with a submission`);
  const submissions: PublishedSubmission[] = [];
  for (const name of names.sort()) submissions.push(await readSubmission(directory, name));
  await writeFile(join(directory, "index.html"), renderResultsPage(submissions));
  return submissions;
}

async function readSubmission(parent: string, directory: string): Promise<PublishedSubmission> {
  try {
    return { directory, ...(await verifyCertificate(join(parent, directory, CERTIFICATE_FILE))) };
  } catch (error) {
    const reason = getErrorMessage(error);
    return { directory, keyids: [], problems: [`${CERTIFICATE_FILE} cannot be read: ${reason}`] };
  }
}

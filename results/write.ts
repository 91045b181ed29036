import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHtml } from "./html.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { type Report, reportSchema } from "./schema.ts";

/** Writes a run in all formats to `results/runs/<id>/` and points `results/latest` to it. Returns the directory. */
export async function writeReport(report: Report, root: string = import.meta.dirname): Promise<string> {
  const valid = reportSchema.parse(report); // what does not fit the schema is not written
  const directory = join(root, "runs", valid.id);
  await mkdir(directory, { recursive: true });
  await Promise.all([
    writeFile(join(directory, "report.json"), `${JSON.stringify(valid, null, 2)}\n`),
    writeFile(join(directory, "junit.xml"), toJunit(valid)),
    writeFile(join(directory, "report.md"), toMarkdown(valid)),
    writeFile(join(directory, "report.html"), toHtml(valid)),
  ]);
  const latest = join(root, "latest");
  const temporary = `${latest}.${process.pid}.new`;
  await rm(temporary, { force: true });
  await symlink(join("runs", valid.id), temporary);
  await rename(temporary, latest);
  return directory;
}

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFile, packArchive, unpackArchive, writeBundle } from "./bundle.ts";
import { createCell, createReport } from "../report-fixtures.ts";
import { writeReport } from "./write.ts";

describe("a bundle", () => {
  let root = "";
  let run = "";
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "interlay-bundle-test-"));
    run = await writeReport(createReport([createCell()]), root);
  });
  after(() => rm(root, { recursive: true }));
  const snapshots = new Map([["snapshot/nodes/a/routes.txt", "default via 10.7.0.1\n"]]);

  it("has reports and snapshots, and is the same for the same files", async () => {
    const first = await hashFile(await writeBundle(run, snapshots));
    const bundle = await writeBundle(run, snapshots);
    assert.equal(await hashFile(bundle), first);
    const directory = await unpackArchive(bundle);
    assert.equal(await readFile(join(directory, "snapshot/nodes/a/routes.txt"), "utf8"), "default via 10.7.0.1\n");
    assert.match(await readFile(join(directory, "report.json"), "utf8"), /interlay.results\/v1/);
    await rm(directory, { recursive: true });
  });

  it("is refused when a file in it was changed, added or is a link", async () => {
    const changes: readonly ((directory: string) => Promise<void>)[] = [
      (directory) => writeFile(join(directory, "report.md"), "all passed"),
      (directory) => writeFile(join(directory, "more.txt"), ""),
      (directory) => rm(join(directory, "junit.xml")),
      (directory) => symlink("/etc/passwd", join(directory, "link")),
    ];
    const { execFileSync } = await import("node:child_process");
    for (const change of changes) {
      const directory = await unpackArchive(await writeBundle(run, snapshots));
      await change(directory);
      const forged = join(root, "forged.tar.gz");
      execFileSync("tar", ["-czf", forged, "-C", directory, "."]);
      await assert.rejects(unpackArchive(forged), /does not match its digest|is missing|neither a file/);
      await rm(directory, { recursive: true });
    }
  });

  it("does not lose the digests of a directory packed twice", async () => {
    const directory = await mkdtemp(join(root, "twice-"));
    await writeFile(join(directory, "a"), "a");
    for (let time = 0; time < 2; time++) await packArchive(directory, join(root, "twice.tar.gz"));
    await rm(await unpackArchive(join(root, "twice.tar.gz")), { recursive: true });
  });
});

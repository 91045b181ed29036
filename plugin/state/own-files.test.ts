import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendOwnFile, createOwnDirectory, readOwnFile, writeFileAtomic } from "./own-files.ts";

describe("files of Interlay", () => {
  let directory: string;
  /** A file of another program, and its text. */
  let foreign: string;
  const TEXT = "of another program";
  const own = (...path: readonly string[]): string => join(directory, "interlay", ...path);
  const mode = (path: string): number => statSync(path).mode & 0o777;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "interlay-files-"));
    foreign = join(directory, "foreign");
    writeFileSync(foreign, TEXT);
    mkdirSync(own(), { mode: 0o700 });
  });
  afterEach(() => {
    assert.equal(readFileSync(foreign, "utf8"), TEXT);
    rmSync(directory, { recursive: true });
  });

  it("are readable by their owner only, and so are their directories", () => {
    createOwnDirectory(own("a", "b"));
    writeFileAtomic(own("a", "b", "file"), "1");
    appendOwnFile(own("log"), "2");
    assert.deepEqual([own("a"), own("a", "b")].map(mode), [0o700, 0o700]);
    assert.deepEqual([own("a", "b", "file"), own("log")].map(mode), [0o600, 0o600]);
    assert.equal(readOwnFile(own("a", "b", "file")), "1");
  });

  it("are replaced with no temporary file left", () => {
    for (const text of ["1", "2"]) writeFileAtomic(own("file"), text);
    assert.equal(readOwnFile(own("file")), "2");
    assert.deepEqual(readdirSync(own()), ["file"]);
  });

  it("replace a planted link without writing to its target", () => {
    symlinkSync(foreign, own("file"));
    symlinkSync(foreign, own(`file.${process.pid}.new`));
    writeFileAtomic(own("file"), "1");
    assert.ok(lstatSync(own("file")).isFile());
    assert.equal(readOwnFile(own("file")), "1");
  });

  it("are not read through a planted link, nor from a FIFO that has no writer", () => {
    symlinkSync(foreign, own("link"));
    assert.throws(() => readOwnFile(own("link")), /link is a symbolic link: remove it/);
    execFileSync("mkfifo", [own("fifo")]);
    assert.throws(() => readOwnFile(own("fifo")), /fifo is not a regular file/);
  });

  it("are not appended to through a symbolic or a hard link", () => {
    symlinkSync(foreign, own("symbolic"));
    linkSync(foreign, own("hard"));
    assert.throws(() => {
      appendOwnFile(own("symbolic"), "1");
    }, /symbolic is a symbolic link/);
    assert.throws(() => {
      appendOwnFile(own("hard"), "1");
    }, /hard is a hard link/);
  });

  it("are not written to a directory that is a planted link", () => {
    mkdirSync(join(directory, "elsewhere"));
    symlinkSync(join(directory, "elsewhere"), own("attachments"));
    assert.throws(() => {
      writeFileAtomic(own("attachments", "file"), "1");
    }, /attachments is a symbolic link/);
    assert.throws(() => {
      createOwnDirectory(own("attachments"));
    }, /attachments is a symbolic link/);
    assert.ok(!existsSync(join(directory, "elsewhere", "file")));
  });

  it("have the code ENOENT in the error for a missing directory", () => {
    assert.throws(
      () => {
        writeFileAtomic(own("none", "file"), "1");
      },
      { code: "ENOENT" },
    );
    assert.throws(() => readOwnFile(own("none")), { code: "ENOENT" });
  });
});

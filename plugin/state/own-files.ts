import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** A file or directory of Interlay that is a link, or something else than expected: root must neither read nor write it. */
class UnsafePathError extends Error {
  constructor(path: string, kind: string) {
    super(`${path} is ${kind}: remove it, Interlay creates it again`);
    this.name = "UnsafePathError";
  }
}

/** Creates a directory that only its owner can use, with its parents. @throws UnsafePathError if the path is a symbolic link */
export function createOwnDirectory(directory: string): void {
  assertNoLink(directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  assertNoLink(directory);
}

/** Verifies that a path, if it exists, is not a symbolic link. @throws UnsafePathError if it is a symbolic link */
export function assertNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new UnsafePathError(path, "a symbolic link");
}

/** Reads a file of Interlay. @throws UnsafePathError if it is not a regular file, and an error with code ENOENT without it */
export function readOwnFile(file: string): string {
  // O_NONBLOCK: opening a FIFO does not wait for its writer.
  const fd = openWithoutLinks(file, O_RDONLY | O_NONBLOCK);
  try {
    assertRegular(file, fd);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/**
 * Replaces a file, so that readers see either the old or the new text. Only its owner can read it. Neither the directory nor the
 * temporary file may be a link; a link with the file's name is replaced.
 *
 * @throws UnsafePathError if the directory is a symbolic link, and an error with code ENOENT without it
 */
export function writeFileAtomic(file: string, text: string): void {
  const directory = openWithoutLinks(dirname(file), O_RDONLY | O_DIRECTORY);
  try {
    // The descriptor refers to the same directory even if another one takes its path.
    const path = `/proc/self/fd/${directory}/${basename(file)}`;
    const temporary = `${path}.${process.pid}.new`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
  } finally {
    closeSync(directory);
  }
}

/** Appends to a file that only its owner can read. @throws UnsafePathError if it is a link, has other names, or is not a regular file */
export function appendOwnFile(file: string, text: string): void {
  const fd = openWithoutLinks(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK);
  try {
    assertRegular(file, fd);
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

function openWithoutLinks(path: string, flags: number): number {
  try {
    return openSync(path, flags | O_NOFOLLOW, 0o600);
  } catch (error) {
    assertNoLink(path);
    throw error;
  }
}

/** A second name (a hard link) could be a file of another program. */
function assertRegular(file: string, fd: number): void {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw new UnsafePathError(file, "not a regular file");
  if (stats.nlink > 1) throw new UnsafePathError(file, "a hard link");
}

import { mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { Skip } from "../harness.ts";
import { runOnNode } from "../support/agent-process.ts";
import { EXECUTABLE_NAMES } from "./executables.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DAY_SECONDS = 86_400;
const compress = promisify(gzip);

/** An earlier commit of this repository whose executables are built. */
export interface PreviousVersion {
  readonly commit: string;
  /** Its plugin/deploy. */
  readonly deployDirectory: string;
  /** Paths of its executables by name. */
  readonly executables: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Builds the last release, or if there is none a commit that is a day older than HEAD. Skips the spec if the clone has neither. */
export async function buildPreviousVersion(): Promise<PreviousVersion> {
  const commit = (await findLastTag()) ?? (await findEarlierCommit());
  if (commit === undefined) Skip("the clone has neither a release nor a commit that is a day older than HEAD");
  const directory = await mkdtemp(join(tmpdir(), "interlay-previous-"));
  const source = join(directory, "source");
  const remove = async (): Promise<void> => {
    await runCommand(["git", "-C", ROOT, "worktree", "remove", "--force", source]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await runOrThrow(["git", "-C", ROOT, "worktree", "add", "--detach", source, commit]);
    await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
    await runOrThrow([process.execPath, "--import", "tsx", "scripts/build.ts"], { cwd: source });
    const dist = join(source, "plugin", "dist");
    const built = await readdir(dist);
    const missing = EXECUTABLE_NAMES.filter((name) => !built.includes(name));
    if (missing.length > 0) throw new Error(`the build of commit ${commit} has no ${missing.join(", ")}`);
    const executables = Object.fromEntries(EXECUTABLE_NAMES.map((name) => [name, join(dist, name)]));
    return { commit, deployDirectory: join(source, "plugin", "deploy"), executables, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Copies a file of this computer to a lab's node, on which it is executable. */
export async function copyToNode(cluster: Cluster, node: string, from: string, to: string): Promise<void> {
  const stdin = (await compress(await readFile(from), { level: 1 })).toString("base64");
  const { exitCode, stderr } = await cluster.exec(node, ["sh", "-c", 'base64 --decode | gunzip > "$1"', "copy", to], {
    stdin,
  });
  if (exitCode !== 0) throw new Error(`${from} could not be copied to ${to} on ${node}: ${stderr}`);
  await runOnNode(cluster, node, ["chmod", "755", to]);
}

async function findLastTag(): Promise<string | undefined> {
  const { exitCode, stdout } = await runCommand([
    "git",
    "-C",
    ROOT,
    "describe",
    "--tags",
    "--abbrev=0",
    "--match=v*",
    "HEAD^",
  ]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function findEarlierCommit(): Promise<string | undefined> {
  const head = await runCommand(["git", "-C", ROOT, "log", "-1", "--format=%ct"]);
  if (head.exitCode !== 0) return undefined;
  const before = `--before=${Number(head.stdout) - DAY_SECONDS}`;
  const { stdout } = await runCommand(["git", "-C", ROOT, "rev-list", "--max-count=1", before, "HEAD"]);
  return stdout.trim() === "" ? undefined : stdout.trim();
}

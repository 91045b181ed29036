import { cp, mkdir, realpath, rm, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { $ } from "zx";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { runDebootstrap, findMachineMirror } from "../../clusters/images/debian.ts";
import type { Progress } from "../../clusters/progress/progress.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
/** Directory of the checkout in the root. */
export const CHECKOUT_DIRECTORY = "/root/interlay";

/**
 * Creates a minimal Debian root with what the README requires: this machine's Node.js and npm, and the files of the commit.
 * Go is bound from this machine.
 */
export async function createRoot(root: string, progress: Progress): Promise<void> {
  await ensureDebianPackages(["debootstrap"], progress);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true, mode: 0o755 });
  await runDebootstrap(root, ["ca-certificates"], await findMachineMirror());
  await addNode(root);
  await checkOut(join(root, CHECKOUT_DIRECTORY));
}

/** Returns the bind mounts of this machine's settings for registries and certificates: `[path in the root, path on the host]`. */
export function readRegistrySettings(): readonly (readonly [string, string])[] {
  const bindFromHome = (path: string) => [join("/root", path), join(homedir(), path)] as const;
  const bindSamePath = (path: string) => [path, path] as const;
  const binds = [
    ...["/etc/apt", "/etc/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"].map(bindSamePath),
    ...["/usr/share/keyrings", "/etc/resolv.conf", "/etc/hosts"].map(bindSamePath),
    ...[".npmrc", ".config/go/env"].map(bindFromHome),
  ];
  return binds.filter(([, hostPath]) => existsSync(hostPath));
}

/** Returns the directory of this machine's Go; undefined if Go is not installed. */
export function findGoRoot(): string | undefined {
  try {
    return $.sync`go env GOROOT`.stdout.trim();
  } catch {
    return undefined;
  }
}

/** Copies the machine's Node.js and npm, not those in this project's node_modules. */
async function addNode(root: string): Promise<void> {
  const bin = join(root, "usr/local/bin");
  const modules = join(root, "usr/local/lib/node_modules");
  await mkdir(bin, { recursive: true });
  await cp(await findOnPath("node"), join(bin, "node"));
  const npm = dirname(dirname(await findOnPath("npm")));
  await cp(npm, join(modules, "npm"), { recursive: true });
  for (const name of ["npm", "npx"]) await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
}

async function findOnPath(program: string): Promise<string> {
  const directories = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((directory) => !directory.includes("node_modules"));
  const programPath = directories.map((directory) => join(directory, program)).find((file) => existsSync(file));
  if (programPath === undefined) throw new Error(`${program} is not on PATH: install it, as the README requires`);
  return realpath(programPath);
}

/** Writes the committed files, without uncommitted changes and node_modules. */
async function checkOut(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await $({ cwd: REPOSITORY })`git archive --format=tar HEAD`.pipe($`tar --extract --directory ${directory}`);
}

import { cp, mkdir, realpath, rm, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { $ } from "zx";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { runDebootstrap, findMachineMirror } from "../../clusters/images/debian.ts";
import type { Progress } from "../../clusters/progress.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
/** In the root. */
export const CHECKOUT_DIRECTORY = "/root/interlay";

/** A minimal Debian with nothing more than the README asks for: Node.js, npm and Go as this computer has them, and the commit. */
export async function createRoot(root: string, progress: Progress): Promise<void> {
  await ensureDebianPackages(["debootstrap"], progress);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true, mode: 0o755 });
  await runDebootstrap(root, ["ca-certificates"], await findMachineMirror());
  await addNode(root);
  await checkOut(join(root, CHECKOUT_DIRECTORY));
}

/** What of this computer says where registries are, and whom to trust there: bound, not copied. `[path in the root, here]` */
export function readRegistrySettings(): readonly (readonly [string, string])[] {
  const own = (path: string) => [join("/root", path), join(homedir(), path)] as const;
  const same = (path: string) => [path, path] as const;
  const all = [
    ...["/etc/apt", "/etc/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"].map(same),
    ...["/usr/share/keyrings", "/etc/resolv.conf", "/etc/hosts"].map(same),
    ...[".npmrc", ".config/go/env"].map(own),
  ];
  return all.filter(([, here]) => existsSync(here));
}

/** Go's own directory on this computer; undefined if it has none. */
export function findGoRoot(): string | undefined {
  try {
    return $.sync`go env GOROOT`.stdout.trim();
  } catch {
    return undefined;
  }
}

/** The computer's own Node.js and npm, not the ones that this project's node_modules put first. */
async function addNode(root: string): Promise<void> {
  const bin = join(root, "usr/local/bin");
  const modules = join(root, "usr/local/lib/node_modules");
  await mkdir(bin, { recursive: true });
  await cp(await onPath("node"), join(bin, "node"));
  const npm = dirname(dirname(await onPath("npm")));
  await cp(npm, join(modules, "npm"), { recursive: true });
  for (const name of ["npm", "npx"]) await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
}

async function onPath(program: string): Promise<string> {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
  const found = directories.map((directory) => join(directory, program)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${program} is not on PATH: the README asks for it.`);
  return realpath(found);
}

/** What a clone of this commit has: nothing that is not committed, no node_modules. */
async function checkOut(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await $({ cwd: REPOSITORY })`git archive --format=tar HEAD`.pipe($`tar --extract --directory ${directory}`);
}

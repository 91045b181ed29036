import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";

/** The mirror of this machine's apt. */
interface Mirror {
  readonly url: string;
  readonly suite: string;
}

/** Returns the mirror in the output of `apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)'`. */
export function chooseMirror(targets: string, codename: string): Mirror | undefined {
  for (const line of targets.split("\n")) {
    const [url, suite, component] = line.trim().split(/\s+/);
    if (url !== undefined && suite === codename && component === "main") return { url, suite };
  }
  return undefined;
}

/** Returns the mirror of this machine's release. Throws if apt has no index. */
export async function findMachineMirror(): Promise<Mirror> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  const format = "$(SITE) $(RELEASE) $(COMPONENT)";
  const { stdout } = await $`apt-get indextargets --format ${format} ${"Created-By: Packages"}`;
  const mirror = chooseMirror(stdout, codename);
  if (mirror === undefined) {
    throw new Error(`apt has no "main" index for ${codename}: run apt-get update first.`);
  }
  return mirror;
}

/** Directories of documentation and translations, which containers do not need. */
const UNNEEDED = ["doc", "man", "locale", "info", "lintian", "bug", "zoneinfo"];

/** dpkg's options: it skips documentation, and does not sync to disk. */
const dpkgOptions = ["force-unsafe-io", ...UNNEEDED.map((d) => `path-exclude=/usr/share/${d}/*`)].join("\n");

/** Paths that are removed after the installation; the runtime creates `/dev`. */
const LEFTOVERS = [
  ...UNNEEDED.map((d) => `usr/share/${d}`),
  "var/cache/apt",
  "var/cache/debconf",
  "var/lib/apt/lists",
  "var/log",
  "etc/dpkg/dpkg.cfg.d/interlay",
  "dev",
  "boot",
];

/** Creates a small Debian root filesystem with packages in the directory `tree`. Takes 30 to 60 s. */
export async function runDebootstrap(tree: string, packages: readonly string[], mirror: Mirror): Promise<void> {
  const options = join(tree, "etc/dpkg/dpkg.cfg.d");
  await mkdir(options, { recursive: true, mode: 0o755 });
  await writeFile(join(options, "interlay"), `${dpkgOptions}\n`);
  // In a new mount namespace: its mounts in the tree end with it, also when it is killed, so that the tree can be removed.
  const flags = ["--variant=minbase", `--include=${packages.join(",")}`];
  try {
    await $({
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    })`unshare --mount -- debootstrap ${flags} ${mirror.suite} ${tree} ${mirror.url}`;
  } catch (error) {
    const log = await readFile(join(tree, "debootstrap/debootstrap.log"), "utf8").catch(() => String(error));
    const last = log.trim().split("\n").slice(-5).join("\n");
    throw new Error(`debootstrap of ${mirror.suite} failed; its last lines:\n${last}`, { cause: error });
  }
  await Promise.all(LEFTOVERS.map((path) => rm(join(tree, path), { recursive: true, force: true })));
  await Promise.all(
    ["dev", "var/log", "var/cache/apt/archives/partial", "var/lib/apt/lists/partial"].map((path) =>
      mkdir(join(tree, path), { recursive: true, mode: 0o755 }),
    ),
  );
  await truncate(join(tree, "etc/machine-id"), 0).catch(() => undefined);
}

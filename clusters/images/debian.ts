import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";

/** The mirror of this machine's apt. */
interface Mirror {
  readonly url: string;
  readonly suite: string;
  /** Ubuntu has some of a node's packages in `universe`. */
  readonly components: readonly string[];
}

const COMPONENTS = ["main", "universe"] as const;
/** apt's address of a file with a list of mirrors (apt-transport-mirror(1)), as on GitHub's runners. */
const MIRROR_LIST = "mirror+file:";

/** Returns the mirror in the output of `apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)'`. */
export function chooseMirror(targets: string, codename: string): Mirror | undefined {
  const lines = targets.split("\n").map((line) => line.trim().split(/\s+/));
  const inSuite = lines.filter(([, suite]) => suite === codename);
  const [url] = inSuite.find(([, , component]) => component === "main") ?? [];
  if (url === undefined) return undefined;
  const components = COMPONENTS.filter((component) =>
    inSuite.some(([site, , name]) => site === url && name === component),
  );
  return { url, suite: codename, components };
}

/** Returns the mirror with the best priority in a list of lines like `http://mirror/ubuntu/ priority:1`; undefined if it has none. */
export function chooseListedMirror(list: string): string | undefined {
  const priority = (line: string): number => Number(/\bpriority:(\d+)/.exec(line)?.[1] ?? Number.MAX_SAFE_INTEGER);
  const lines = list.split("\n").filter((line) => /^[a-z]+:/.test(line));
  const [first] = lines.toSorted((a, b) => priority(a) - priority(b));
  return first?.split(/\s+/)[0];
}

/** Returns the mirror of this machine's release. @throws if apt has no index or no mirror */
export async function findMachineMirror(): Promise<Mirror> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  const format = "$(SITE) $(RELEASE) $(COMPONENT)";
  const { stdout } = await $`apt-get indextargets --format ${format} ${"Created-By: Packages"}`;
  const mirror = chooseMirror(stdout, codename);
  if (mirror === undefined) {
    throw new Error(`apt has no "main" index for ${codename}: run apt-get update first.`);
  }
  if (!mirror.url.startsWith(MIRROR_LIST)) return mirror;
  const file = mirror.url.slice(MIRROR_LIST.length);
  const url = chooseListedMirror(await readFile(file, "utf8"));
  if (url === undefined)
    throw new Error(`apt's list of mirrors ${file} has no mirror: add one, or use another source.`);
  return { ...mirror, url };
}

/** Directories of documentation and translations, which containers do not need. */
const UNNEEDED = ["doc", "man", "locale", "info", "lintian", "bug", "zoneinfo"];

/** dpkg's options: it skips documentation, and does not sync to disk. */
const dpkgOptions = ["force-unsafe-io", ...UNNEEDED.map((directory) => `path-exclude=/usr/share/${directory}/*`)].join(
  "\n",
);

/** Paths that are removed after the installation; the runtime creates `/dev`. */
const LEFTOVERS = [
  ...UNNEEDED.map((directory) => `usr/share/${directory}`),
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
  const components = `--components=${mirror.components.join(",")}`;
  const flags = ["--variant=minbase", components, `--include=${packages.join(",")}`];
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

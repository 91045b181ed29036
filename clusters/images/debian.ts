import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";

/** Where this machine's own apt gets its packages; nothing else is asked. */
interface Mirror {
  readonly url: string;
  readonly suite: string;
}

/** Reads the lines of `apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)'`. */
export function chooseMirror(targets: string, codename: string): Mirror | undefined {
  for (const line of targets.split("\n")) {
    const [url, suite, component] = line.trim().split(/\s+/);
    if (url !== undefined && suite === codename && component === "main") return { url, suite };
  }
  return undefined;
}

export async function findMachineMirror(): Promise<Mirror> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  const format = "$(SITE) $(RELEASE) $(COMPONENT)";
  const { stdout } = await $`apt-get indextargets --format ${format} ${"Created-By: Packages"}`;
  const mirror = chooseMirror(stdout, codename);
  if (mirror === undefined) {
    throw new Error(`apt knows no "main" index for ${codename}: run apt-get update first.`);
  }
  return mirror;
}

/** Documentation and translations: nobody reads them in a container. */
const UNREAD = ["doc", "man", "locale", "info", "lintian", "bug", "zoneinfo"];

/** What dpkg itself leaves out and what it need not do: a root filesystem in the making may be lost. */
const dpkgOptions = ["force-unsafe-io", ...UNREAD.map((d) => `path-exclude=/usr/share/${d}/*`)].join("\n");

/** What is of no use once everything is installed; `/dev` is the runtime's. */
const LEFTOVERS = [
  ...UNREAD.map((d) => `usr/share/${d}`),
  "var/cache/apt",
  "var/cache/debconf",
  "var/lib/apt/lists",
  "var/log",
  "etc/dpkg/dpkg.cfg.d/interlay",
  "dev",
  "boot",
];

/** A small Debian root filesystem with these packages in `tree`. Takes 30 to 60 s. */
export async function runDebootstrap(tree: string, packages: readonly string[], mirror: Mirror): Promise<void> {
  const options = join(tree, "etc/dpkg/dpkg.cfg.d");
  await mkdir(options, { recursive: true, mode: 0o755 });
  await writeFile(join(options, "interlay"), `${dpkgOptions}\n`);
  // In a mount namespace of its own: what it mounts in the tree ends with it, also when it is killed, and the tree can go.
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

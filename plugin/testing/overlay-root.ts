import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts the machine's root directory below a writable layer, with the kernel's file systems and the visible paths in it. */
const SETUP = `
mount -t tmpfs none "$BASE" && mkdir "$BASE/upper" "$BASE/work" "$BASE/root" &&
mount -t overlay overlay -o "lowerdir=/,upperdir=$BASE/upper,workdir=$BASE/work" "$BASE/root" &&
for path in /proc /sys /dev "$@"; do mkdir -p "$BASE/root$path" && mount --rbind "$path" "$BASE/root$path" || exit 1; done &&
echo ready && exec sleep infinity`;

/** The machine's root directory with a writable layer on it: shows which files a program changes. Needs root. */
export class OverlayRoot {
  readonly #holder: ChildProcess;
  readonly #base: string;
  readonly #initial: ReadonlySet<string>;

  private constructor(holder: ChildProcess, base: string) {
    this.#holder = holder;
    this.#base = base;
    this.#initial = new Set(this.#list());
  }

  /** @param visible paths of the machine whose changes are not recorded */
  static async create(visible: readonly string[]): Promise<OverlayRoot> {
    const base = mkdtempSync(join(tmpdir(), "interlay-overlay-"));
    const holder = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", SETUP, "overlay", ...visible], {
      env: { PATH: process.env["PATH"], BASE: base },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once("data", () => {
        resolve();
      });
      holder.once("exit", (code) => {
        reject(new Error(`the overlay of the root directory is not mounted: unshare ended with ${String(code)}`));
      });
    });
    return new OverlayRoot(holder, base);
  }

  /** Returns a command that runs in the overlay. */
  buildCommand(argv: readonly string[]): readonly string[] {
    const target = String(this.#holder.pid);
    return ["nsenter", "--target", target, "--mount", "--", "chroot", join(this.#base, "root"), ...argv];
  }

  /** Returns the paths that were created, changed or removed. */
  listChanges(): readonly string[] {
    return this.#list()
      .filter((path) => !this.#initial.has(path))
      .map((path) => `/${path}`);
  }

  close(): void {
    this.#holder.kill("SIGKILL");
    rmSync(this.#base, { recursive: true, force: true });
  }

  #list(): readonly string[] {
    const upper = `/proc/${this.#holder.pid ?? 0}/root${this.#base}/upper`;
    return readdirSync(upper, { recursive: true, encoding: "utf8" });
  }
}

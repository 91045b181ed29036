import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { runCommand } from "../../clusters/components/run-command.ts";
import { By } from "../harness.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A directory that looks like a clone of this repository, in which documented commands are run by bash as they are. */
export class DocumentedShell {
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#env = env;
  }

  /**
   * Creates the directory.
   * @param programs paths by name of the programs that the commands use in addition to this computer's
   * @param env further variables, such as KUBECONFIG
   */
  static async create(
    programs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>>,
  ): Promise<DocumentedShell> {
    const directory = await mkdtemp(join(tmpdir(), "interlay-documented-"));
    for (const name of await readdir(ROOT)) await symlink(join(ROOT, name), join(directory, name));
    const bin = join(directory, ".programs");
    await mkdir(bin);
    for (const [name, path] of Object.entries(programs)) await symlink(path, join(bin, name));
    const path = [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    return new DocumentedShell(directory, { ...env, PATH: path });
  }

  /** Writes a file that the page describes. @param name path in the directory */
  async write(name: string, text: string): Promise<void> {
    const file = join(this.#directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** Runs a block of commands. @returns its stdout @throws an error with the output if one fails */
  async run(block: string): Promise<string> {
    const { exitCode, stdout, stderr } = await By(block.trim(), () =>
      runCommand(["bash", "-euo", "pipefail", "-c", block], { cwd: this.#directory, env: this.#env }),
    );
    if (exitCode !== 0)
      throw new Error(`\`${block.trim()}\` ended with ${exitCode}: ${`${stdout}${stderr}`.slice(-8000)}`);
    return stdout;
  }

  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

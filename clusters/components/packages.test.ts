import assert from "node:assert/strict";
import { createPlainProgress } from "../progress/plain.ts";
import type { CommandResult } from "./run-command.ts";
import { ensureDebianPackages } from "./packages.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("ensureDebianPackages", () => {
  const silent = createPlainProgress(() => undefined);
  const ok = (stdout = ""): CommandResult => ({ exitCode: 0, stdout, stderr: "" });

  /** Returns a machine with nftables, and with only the configuration files of docker.io. */
  function machine(isRoot: boolean, install: CommandResult = ok()) {
    const calls: string[] = [];
    const run = (argv: readonly string[]): Promise<CommandResult> => {
      if (argv[0] === "dpkg-query")
        return Promise.resolve({ ...ok("nftables installed\ndocker.io config-files\n"), exitCode: 1 });
      calls.push(argv.join(" "));
      return Promise.resolve(argv.includes("install") ? install : ok());
    };
    return { isRoot, run, calls, withoutServices: <T>(work: () => Promise<T>) => work() };
  }

  const cache = useDirectory("suite");
  const previous = process.env["INTERLAY_CACHE"];
  before(() => {
    process.env["INTERLAY_CACHE"] = cache; // it has the durations of steps
  });
  after(() => {
    if (previous === undefined) delete process.env["INTERLAY_CACHE"];
    else process.env["INTERLAY_CACHE"] = previous;
  });

  it("does nothing if no package is missing", async () => {
    const here = machine(false);
    await ensureDebianPackages(["nftables"], silent, here);
    await ensureDebianPackages([], silent, here);
    assert.deepEqual(here.calls, []);
  });

  it("installs missing packages, and prints their names first", async () => {
    const lines: string[] = [];
    const here = machine(true);
    await ensureDebianPackages(
      ["nftables", "docker.io", "runc"],
      createPlainProgress((line) => lines.push(line)),
      here,
    );
    assert.match(lines[0] ?? "", /> install Debian packages: docker\.io runc$/);
    assert.deepEqual(here.calls, [
      "apt-get -qq -o DPkg::Lock::Timeout=600 update",
      "apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends -o Dpkg::Options::=--force-confdef docker.io runc",
    ]);
  });

  it("names the command to run if the user is not root", async () => {
    const here = machine(false);
    await assert.rejects(
      ensureDebianPackages(["docker.io"], silent, here),
      /only root can install them: run `sudo apt-get install --no-install-recommends docker\.io`\.$/,
    );
    assert.deepEqual(here.calls, []);
  });

  it("reports apt's error", async () => {
    const failing = machine(true, { exitCode: 100, stdout: "", stderr: "E: Unable to locate package runc\n" });
    await assert.rejects(ensureDebianPackages(["runc"], silent, failing), /E: Unable to locate package runc$/);
  });
});

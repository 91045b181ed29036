import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Kubectl } from "./kubectl.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("Kubectl.apply", () => {
  const directory = useDirectory();

  /** Writes a program that fails once with an error, and records the manifests that it gets. */
  async function createProgram(error: string): Promise<{ kubectl: Kubectl; readManifests: () => Promise<string> }> {
    const [program, file] = [join(directory, "kubectl"), join(directory, "manifests")];
    const failOnce = `if [ ! -e ${file}.failed ]; then touch ${file}.failed; echo '${error}' >&2; exit 1; fi`;
    await writeFile(program, `#!/bin/sh\ncat >> ${file}\n${failOnce}\n`);
    await chmod(program, 0o755);
    return { kubectl: new Kubectl(program, "kubeconfig"), readManifests: () => readFile(file, "utf8") };
  }

  it("applies again what the API server did not do in its time", async () => {
    const { kubectl, readManifests } = await createProgram(
      "Error from server (Timeout): Timeout: request did not complete within requested timeout",
    );
    await kubectl.apply("kind: Pod\n");
    assert.equal(await readManifests(), "kind: Pod\nkind: Pod\n");
  });

  it("fails at once for a manifest that the API server rejects", async () => {
    const { kubectl, readManifests } = await createProgram("Error from server (Invalid): spec.image is required");
    await assert.rejects(kubectl.apply("kind: Pod\n"), /spec\.image is required/);
    assert.equal(await readManifests(), "kind: Pod\n");
  });
});

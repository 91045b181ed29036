import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScript, waitForExit } from "../../clusters/shell.ts";
import { unpackArchive } from "../../results/files/bundle.ts";
import { readReport } from "../../results/files/write.ts";

/** Nothing listens there. */
const KUBECONFIG = `apiVersion: v1
kind: Config
clusters: [{ name: a, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: a, user: {} }]
contexts: [{ name: a, context: { cluster: a, user: a } }]
current-context: a
`;

describe("the entry point of the suite's image, without a cluster", function () {
  this.timeout(60_000);
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlay-run-in-pod-test-"));
    await writeFile(join(directory, "kubeconfig"), KUBECONFIG);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const run = (argv: readonly string[]) => {
    const env = { ...process.env, RESULTS_DIR: join(directory, "results"), KUBECONFIG: join(directory, "kubeconfig") };
    return waitForExit(startScript("scripts/in-cluster/run-in-pod.ts", argv, { env, stdio: "ignore" }));
  };

  it("gives Sonobuoy's worker an archive whose junit.xml has the error, and then its path", async () => {
    assert.equal(await run(["--sonobuoy"]), 0);
    const archive = await readFile(join(directory, "results", "done"), "utf8");
    assert.equal(archive, join(directory, "results", "interlay.tar.gz"));
    assert.deepEqual((await readdir(join(directory, "results"))).sort(), ["done", "interlay.tar.gz"]);
    const unpacked = await unpackArchive(archive);
    try {
      assert.match(await readFile(join(unpacked, "junit.xml"), "utf8"), /failures="1".*[\s\S]*127\.0\.0\.1:1/);
    } finally {
      await rm(unpacked, { recursive: true });
    }
  });

  it("ends with the status of the run, whose report has the error", async () => {
    assert.equal(await run(["--", "--nodes", "2"]), 2);
    const [name = ""] = await readdir(join(directory, "results"));
    const { checks, summary } = await readReport(join(directory, "results", name));
    assert.equal(summary.failed, 1);
    assert.match(checks[0]?.error ?? "", /ended with 2 before the run/);
  });
});

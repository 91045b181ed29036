import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { listComponentVersions } from "../../results/html/results-page.ts";
import { publishResults } from "./publish.ts";
import { createTamperTool, type TamperTool } from "./tamper.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("the page of submissions", function () {
  this.timeout(60_000);
  let tool: TamperTool;
  const directory = useDirectory("suite");
  before(async () => {
    tool = await createTamperTool();
  });
  after(async () => {
    await tool.remove();
  });

  it("shows verified results, and rejects changed, unreadable and missing certificates", async () => {
    const forged = await tool.changeCertificate(tool.genuine, (one) => ({
      ...one,
      product: { ...one.product, name: "<i>Other</i>" },
    }));
    await cp(tool.genuine, join(directory, "genuine"), { recursive: true });
    await cp(forged, join(directory, "forged"), { recursive: true });
    await mkdir(join(directory, "empty"));
    const submissions = await publishResults(directory);
    const html = await readFile(join(directory, "index.html"), "utf8");
    const rows = html.match(/<tr data-versions[^]+?<\/tr>/g) ?? [];
    const findRow = (text: string) => rows.find((row) => row.includes(text)) ?? "";
    assert.equal(rows.length, 3);
    assert.match(findRow("genuine/certificate.html"), /Example Cloud 1\.0<[^]*class="pass">pass<[^]*SHA256:/);
    assert.match(findRow("forged/certificate.html"), /rejected<\/span>: the signature does not match/);
    assert.doesNotMatch(findRow("forged/certificate.html"), /class="pass"|<i>/);
    assert.match(findRow(">empty<"), /certificate\.json cannot be read/);
    assert.deepEqual(
      submissions.map(({ problems }) => problems.length === 0),
      [false, false, true],
    );
  });

  it("filters by the versions of components and of kube-proxy", async () => {
    const certificate = await tool.readCertificate(tool.genuine);
    const versions = listComponentVersions({ directory: "x", certificate, keyids: [], problems: [] });
    assert.deepEqual(versions, ["kubernetes v1.29.15", "kernel 6.1.0", "kube-proxy v1.28.15 (iptables)"]);
    const html = await readFile(join(directory, "index.html"), "utf8");
    for (const version of versions) assert.ok(html.includes(`<option>${version}</option>`), version);
  });

  it("needs at least one submission", async () => {
    await assert.rejects(publishResults(join(directory, "empty")), /no subdirectory/);
  });
});

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { packResults, unpackResults } from "./results-map.ts";

const report = Buffer.from('{"schema":"interlay.results/v1"}');

describe("results in a ConfigMap", () => {
  it("results in a ConfigMap are the same after packing and unpacking", () => {
    const files = new Map([
      ["report.json", report],
      ["junit.xml", Buffer.from("<testsuites/>")],
      ["bundle.tar.gz", Buffer.from([0x1f, 0x8b, 0])],
    ]);
    const { exitStatus, files: unpacked, leftOut } = unpackResults(packResults(files, 1));
    assert.equal(exitStatus, 1);
    assert.deepEqual(leftOut, []);
    for (const [name, content] of files) assert.deepEqual(unpacked.get(name), content, name);
  });

  it("results in a ConfigMap have report.json compressed, and junit.xml and report.md readable", () => {
    const { data, binaryData } = packResults(
      new Map([
        ["report.json", report],
        ["junit.xml", Buffer.from("<testsuites/>")],
        ["report.md", Buffer.from("# Run")],
      ]),
      0,
    );
    assert.deepEqual(Object.keys(binaryData), ["report.json.gz"]);
    assert.deepEqual(data, { "exit-status": "0", "junit.xml": "<testsuites/>", "report.md": "# Run" });
  });

  it("compress a file that is too large, and name those that do not fit at all", () => {
    const files = new Map([
      ["report.json", report],
      ["junit.xml", Buffer.alloc(5000, "a")],
      ["bundle.tar.gz", randomBytes(3000)],
      ["report.md", Buffer.from("# Run")],
    ]);
    const { data, binaryData } = packResults(files, 1, 500);
    assert.deepEqual(Object.keys(binaryData), ["report.json.gz", "junit.xml.gz"]);
    assert.equal(data["left-out"], "bundle.tar.gz");
    assert.equal(data["report.md"], "# Run");
    assert.deepEqual(unpackResults({ data, binaryData }).leftOut, ["bundle.tar.gz"]);
  });

  it("fit in a ConfigMap, whose values may have 1 MiB together", () => {
    const files = new Map(["report.json", "junit.xml", "bundle.tar.gz"].map((name) => [name, randomBytes(600_000)]));
    const { data, binaryData } = packResults(files, 0);
    const size = [
      ...Object.values(data).map((text) => Buffer.byteLength(text)),
      ...Object.values(binaryData).map((text) => Buffer.byteLength(text, "base64")),
    ];
    assert.ok(size.reduce((a, b) => a + b) <= 1024 * 1024);
  });

  it("results in a ConfigMap are refused without an exit status", () => {
    assert.throws(() => unpackResults({ data: { "report.md": "# Run" } }));
  });
});

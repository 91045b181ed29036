import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDigest, downloadRelease, isReachable, UnavailableError } from "./download.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

const PROGRAM = "#!/bin/sh\necho kubelet\n";
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

describe("downloadRelease", () => {
  let server: Server;
  let base: string;
  const cache = useDirectory();
  const files = new Map<string, string | Buffer>();

  before(async () => {
    server = createServer((request, response) => {
      const content = files.get(request.url ?? "");
      if (content === undefined) response.writeHead(404);
      if (request.url === "/broken") response.writeHead(200, { "content-length": "1000" });
      if (request.url === "/broken") response.write("x", () => response.destroy());
      else response.end(content);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    files.clear();
  });

  const nothingIsLeft = async () => {
    assert.deepEqual(await readdir(cache), []);
  };

  it("downloads an executable with the published checksum", async () => {
    files.set("/kubelet", PROGRAM).set("/kubelet.sha256", sha256(PROGRAM));
    const target = join(cache, "kubelet-v1");
    await downloadRelease({ url: `${base}/kubelet`, checksumUrl: `${base}/kubelet.sha256` }, target);
    assert.equal(await readFile(target, "utf8"), PROGRAM);
    assert.equal((await stat(target)).mode & 0o777, 0o755);
    assert.deepEqual(await readdir(cache), ["kubelet-v1"]);
  });

  it("rejects a release with another checksum, and removes it", async () => {
    files.set("/kubelet", `${PROGRAM}rm -rf /\n`).set("/kubelet.sha256", sha256(PROGRAM));
    await assert.rejects(
      downloadRelease({ url: `${base}/kubelet`, checksumUrl: `${base}/kubelet.sha256` }, join(cache, "kubelet-v1")),
      (error: Error) =>
        !(error instanceof UnavailableError) && /wrong checksum of .*but .*kubelet\.sha256 has/.test(error.message),
    );
    await nothingIsLeft();
  });

  it("rejects a checksum file without the release", async () => {
    files.set("/kubelet", PROGRAM).set("/SHA256SUMS", `${sha256(PROGRAM)}  kubectl\n`);
    await assert.rejects(
      downloadRelease({ url: `${base}/kubelet`, checksumUrl: `${base}/SHA256SUMS` }, join(cache, "kubelet-v1")),
      /has no SHA-256 of kubelet/,
    );
    await nothingIsLeft();
  });

  it("throws UnavailableError if the file does not exist or the download is interrupted", async () => {
    const release = { url: `${base}/broken`, checksumUrl: `${base}/broken.sha256` };
    await assert.rejects(downloadRelease(release, join(cache, "x")), UnavailableError);
    files.set("/broken.sha256", sha256(PROGRAM)).set("/broken", "x");
    await assert.rejects(downloadRelease(release, join(cache, "x")), UnavailableError);
    await nothingIsLeft();
  });

  it("extracts one program, or all files, of an archive", async () => {
    const tree = await mkdtemp(join(tmpdir(), "interlay-archive-"));
    await mkdir(join(tree, "etcd-v3"));
    await writeFile(join(tree, "etcd-v3", "etcd"), PROGRAM);
    const archive = execFileSync("tar", ["--create", "--gzip", "--directory", tree, "etcd-v3"]);
    await rm(tree, { recursive: true });
    files.set("/e.tgz", archive).set("/SUMS", `${"0".repeat(64)}  other.tgz\n${sha256(archive)} *e.tgz\n`);
    const release = { url: `${base}/e.tgz`, checksumUrl: `${base}/SUMS` };
    await downloadRelease({ ...release, member: "etcd-v3/etcd" }, join(cache, "one"));
    await downloadRelease({ ...release, member: "" }, join(cache, "all"));
    assert.equal(await readFile(join(cache, "one"), "utf8"), PROGRAM);
    assert.equal(await readFile(join(cache, "all", "etcd-v3", "etcd"), "utf8"), PROGRAM);
  });

  it("distinguishes a host that answers from one that does not", async () => {
    assert.equal(await isReachable(`${base}/any/file`), true);
    assert.equal(await isReachable("http://127.0.0.1:1/file"), false);
  });
});

describe("findDigest", () => {
  const digest = "a".repeat(64);
  for (const [what, published, expected] of [
    ["a digest alone", `${digest}\n`, digest],
    ["a sha256sum line", `${digest}  kind-linux-amd64\n`, digest],
    ["a line with a path, binary mode", `${digest} *release/kind-linux-amd64\n`, digest],
    ["another file's line", `${digest}  kind-darwin-arm64\n`, undefined],
    ["an error page", "<html>not found</html>", undefined],
  ] as const)
    it(what, () => {
      assert.equal(findDigest("kind-linux-amd64", published), expected);
    });
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startReportServer } from "./serve.ts";

describe("the server of reports", () => {
  let directory: string;
  let server: Server;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlay-serve-"));
    await mkdir(join(directory, "runs", "one"), { recursive: true });
    await writeFile(join(directory, "secret"), "secret");
    await writeFile(join(directory, "runs", "index.html"), "<p>history</p>");
    await writeFile(join(directory, "runs", "one", "report.html"), "<p>one</p>");
    await writeFile(join(directory, "runs", "one", "report.json"), "{}");
    await symlink(join(directory, "secret"), join(directory, "runs", "link"));
    server = await startReportServer(join(directory, "runs"), 0);
    ({ port } = server.address() as AddressInfo);
  });

  after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true });
  });

  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);

  it("serves the history as its first page, and the report of a run as that of its directory", async () => {
    assert.equal(await (await get("/")).text(), "<p>history</p>");
    assert.equal(await (await get("/one/")).text(), "<p>one</p>");
  });

  it("names the type of a file", async () => {
    assert.equal((await get("/one/report.json")).headers.get("content-type"), "application/json");
  });

  it("answers 404 for a file that does not exist, and for a link out of the directory", async () => {
    assert.equal((await get("/two/report.html")).status, 404);
    assert.equal((await get("/link")).status, 404);
  });

  it("does not leave its directory for a path with dots", async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("GET /%2e%2e/secret HTTP/1.0\r\n\r\n"));
      let text = "";
      socket
        .on("data", (chunk: Buffer) => (text += chunk.toString()))
        .on("end", () => {
          resolve(text);
        });
    });
    assert.match(answer, /^HTTP\/1\.1 404/);
  });

  it("refuses methods that change something", async () => {
    assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: "DELETE" })).status, 404);
  });
});

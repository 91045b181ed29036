import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoCompilerError, runBuildTool } from "./build-tool.ts";
import { compileC } from "./compile.ts";
import { selectToolchain } from "./platform.ts";

const launcher = join(import.meta.dirname, "..", "launcher");
const SOURCE = join(launcher, "main.c");
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

function skipWithoutCompiler(test: Mocha.Context, error: unknown): never {
  if (!(error instanceof NoCompilerError)) throw error;
  process.stdout.write(`      · skipped: ${error.message}\n`);
  test.skip();
}

describe("the launcher's executable", () => {
  let directory: string;
  let header: string;
  let dynamic: string;

  before(async function () {
    directory = mkdtempSync(join(tmpdir(), "interlay-launcher-"));
    try {
      const program = { entry: SOURCE, sources: [launcher], output: join(directory, "interlay") };
      const executable = await compileC(program, selectToolchain(undefined));
      header = await runBuildTool("readelf", ["-hlW", executable]);
      dynamic = await runBuildTool("readelf", ["-dW", executable]);
    } catch (error) {
      skipWithoutCompiler(this, error);
    }
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it("is position-independent and needs neither loader nor libraries", () => {
    assert.match(header, /Type: +DYN/);
    assert.match(dynamic, /FLAGS_1.*\bPIE\b/);
    assert.doesNotMatch(header, /INTERP/);
    assert.doesNotMatch(dynamic, /NEEDED|TEXTREL/);
  });

  it("has relocations that are read-only once it runs (full RELRO)", () => {
    assert.match(header, /GNU_RELRO/);
    assert.match(dynamic, /BIND_NOW/);
  });

  it("has no executable stack and no segment that is writable and executable", () => {
    assert.match(header, /GNU_STACK .* RW /);
    assert.doesNotMatch(header, /LOAD .* RWE /);
  });
});

describe("the launcher with address and undefined-behaviour sanitizers", () => {
  let directory: string;
  let executable: string;
  let server: Server;
  /** Bytes that the agent sends before it closes the connection. */
  let response: Buffer;
  /** Bytes of the last request. */
  let received: Buffer;

  before(async function () {
    directory = mkdtempSync(join(tmpdir(), "interlay-launcher-"));
    executable = join(directory, "interlay");
    try {
      await runBuildTool("gcc", ["-std=gnu11", "-g", "-O1", ...SANITIZERS, "-o", executable, SOURCE]);
    } catch (error) {
      skipWithoutCompiler(this, error);
    }
    server = createServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        received = Buffer.concat(chunks);
        if (received.length >= 4 && received.length === 4 + received.readUInt32LE(0)) socket.end(response);
      });
    });
    server.listen(join(directory, "cni.sock"));
    await once(server, "listening");
  });
  after(() => {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = async (env: Record<string, string>, input: string | Buffer = "{}", argv: readonly string[] = []) => {
    const child = spawn(executable, argv, {
      env: { INTERLAY_CNI_SOCKET: join(directory, "cni.sock"), ...env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on("error", () => undefined); // it may end without reading
    child.stdin.end(input);
    const [status, signal] = (await once(child, "close")) as [number | null, string | null];
    assert.deepEqual([stderr, signal], ["", null]);
    return { status, stdout };
  };
  const answer = (status: number, length: number, text: string | Buffer): Buffer => {
    const header = Buffer.alloc(5);
    header.writeUInt8(status, 0);
    header.writeUInt32LE(length, 1);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const ADD = { CNI_COMMAND: "ADD", CNI_NETNS: "/proc/self/ns/net", CNI_CONTAINERID: "c1", CNI_IFNAME: "eth0" };
  const FALLBACK = /cannot execute interlay-full: No such file or directory/;

  for (const [title, status, text] of [
    ["prints a result", 0, '{"cniVersion":"1.0.0"}'],
    ["prints an error and exits with its status", 1, '{"code":7,"msg":"x"}'],
    ["prints an empty response", 0, ""],
    ["prints a response of 3 MB", 0, "x".repeat(3_000_000)],
  ] as const)
    it(title, async () => {
      response = answer(status, text.length, text);
      assert.deepEqual(await run(ADD), { status, stdout: text });
    });

  for (const [title, hostile] of [
    ["no response", Buffer.alloc(0)],
    ["part of a header", Buffer.of(0, 1)],
    ["a text that ends early", answer(0, 100, "short")],
    ["a length of 4 GiB", answer(0, 0xffffffff, "short")],
    ["the request for the full plugin", answer(255, 0xffffffff, "")],
  ] as const)
    it(`executes the full plugin after ${title}`, async () => {
      response = hostile;
      const { status, stdout } = await run(ADD);
      assert.equal(status, 1);
      assert.match(stdout, FALLBACK);
    });

  for (const length of [106, 107, 108, 109, 5000])
    it(`executes the full plugin if the path of the socket has ${length} bytes`, async () => {
      const { stdout } = await run({ ...ADD, INTERLAY_CNI_SOCKET: "/".padEnd(length, "x") });
      assert.match(stdout, FALLBACK);
    });

  it("executes the full plugin with arguments, and without a command", async () => {
    assert.match((await run(ADD, "", ["a", "b".repeat(100_000)])).stdout, FALLBACK);
    assert.match((await run({})).stdout, FALLBACK);
  });

  for (const [title, env, input] of [
    ["an empty configuration", {}, ""],
    ["zero bytes in the configuration", {}, Buffer.alloc(70_000)],
    ["a configuration of 5 MB", {}, "x".repeat(5_000_000)],
    ["variables of 100 kB", { CNI_ARGS: "x".repeat(100_000), CNI_PATH: "/".repeat(100_000) }, "{}"],
    ["a namespace whose path is too long", { CNI_NETNS: "/".padEnd(100_000, "x") }, "{}"],
    ["empty and unknown variables", { CNI_: "", CNI_NETNS: "", CNI_IFNAME: "\u00ff%n%s" }, "{}"],
  ] as const)
    it(`sends a request with ${title}`, async () => {
      response = answer(0, 2, "ok");
      assert.deepEqual(await run({ ...ADD, ...env }, input), { status: 0, stdout: "ok" });
      assert.deepEqual(received.subarray(received.length - input.length), Buffer.from(input));
    });
});

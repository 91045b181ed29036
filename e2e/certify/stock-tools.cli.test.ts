import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import { encodePae } from "../../results/certificate/dsse.ts";
import { createTamperTool, type TamperTool, vendorKeys } from "./tamper.ts";

describe("a signed certificate and stock tools", function () {
  this.timeout(60_000);
  let tool: TamperTool;
  before(async () => (tool = await createTamperTool()));
  after(() => tool.remove());

  /** Verifies with openssl; the signed bytes are composed from the envelope. @returns the exit status */
  async function verifyWithOpenssl(directory: string): Promise<number | null> {
    const { payload, payloadType, signatures } = await tool.readEnvelope(directory);
    const [pae, sig, key] = ["pae.bin", "sig.bin", "vendor.pub"].map((name) => join(directory, name));
    assert.ok(pae !== undefined && sig !== undefined && key !== undefined);
    await writeFile(pae, encodePae(payloadType, Buffer.from(payload, "base64")));
    await writeFile(sig, Buffer.from(signatures[0]?.sig ?? "", "base64"));
    await writeFile(key, vendorKeys.publicKey);
    return (await $({ nothrow: true })`openssl pkeyutl -verify -pubin -inkey ${key} -rawin -in ${pae} -sigfile ${sig}`)
      .exitCode;
  }

  it("is verified by openssl over the pre-authentication encoding", async () => {
    assert.equal(await verifyWithOpenssl(await tool.createCopy(tool.genuine)), 0);
  });

  it("is rejected by openssl if its payload was changed", async () => {
    const changed = await tool.changeCertificate(tool.genuine, (one) => ({
      ...one,
      issued: "2030-01-01T00:00:00.000Z",
    }));
    assert.equal(await verifyWithOpenssl(changed), 1);
  });

  it("is verified by the commands of docs/certify.md", async function () {
    if ((await $({ nothrow: true })`jq --version`).exitCode !== 0) this.skip();
    const page = await readFile(join(import.meta.dirname, "../../docs/certify.md"), "utf8");
    const commands = /```sh\n(jq [^]+?)```/.exec(page)?.[1] ?? "";
    assert.match(commands, /openssl pkeyutl -verify/);
    const directory = await tool.createCopy(tool.genuine);
    const { exitCode, stdout } = await $({ nothrow: true, cwd: directory, input: commands })`sh -e`;
    assert.equal(exitCode, 0);
    assert.match(stdout, /Signature Verified Successfully[^]*bundle.tar.gz: OK/);
  });

  it("names digests that sha256sum confirms", async () => {
    const envelope = JSON.parse(await readFile(join(tool.genuine, "certificate.json"), "utf8")) as {
      payload: string;
    };
    const statement = JSON.parse(Buffer.from(envelope.payload, "base64").toString()) as {
      subject: readonly { name: string; digest: { sha256: string } }[];
    };
    const lines = statement.subject
      .filter(({ name }) => !name.startsWith("runs/"))
      .map(({ name, digest }) => `${digest.sha256}  ${name}\n`);
    assert.equal(lines.length, 5);
    const { exitCode } = await $({
      nothrow: true,
      cwd: tool.genuine,
      input: lines.join(""),
    })`sha256sum --check --strict`;
    assert.equal(exitCode, 0);
  });
});

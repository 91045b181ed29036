import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "./kube-client.ts";
import { hasStatus, KubeError } from "./kube-error.ts";
import { describeApiError } from "./api-error.ts";

/** Returns the error of a request for the namespaces. */
async function readRequestError(server: string): Promise<string> {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "test", server, skipTLSVerify: false }, { name: "test" });
  return new KubeClient(config).list({ api: "/api/v1", plural: "namespaces" }).then(
    () => "an answer",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

describe("describeApiError", () => {
  it("names the URL, the cause and the remedy", async () => {
    const listening = createServer();
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    await new Promise((resolve) => listening.close(resolve));
    const message = await readRequestError(url);
    assert.match(message, /^The API server https:\/\/127\.0\.0\.1:\d+ was not reached: .*ECONNREFUSED.*--kubeconfig/);
    assert.ok(message.includes(url), message);
  });

  it("names a host that cannot be resolved", async () => {
    assert.match(
      await readRequestError("https://nowhere.invalid:6443"),
      /nowhere\.invalid:6443 was not reached: .*nowhere\.invalid/,
    );
  });

  it("should name a connection that the server closed", async () => {
    const closingServer = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => closingServer.listen(0, "127.0.0.1", resolve));
    assert.match(
      await readRequestError(`https://127.0.0.1:${(closingServer.address() as AddressInfo).port}`),
      /was not reached: /,
    );
    closingServer.close();
  });

  it("should name a missing kubeconfig", async () => {
    assert.match(
      await readRequestError("http://localhost:8080"),
      /localhost:8080 was not reached: .*--kubeconfig FILE or KUBECONFIG/,
    );
  });

  it("should not change errors that the API server returned", () => {
    const refused = new KubeError(403, "not granted");
    assert.ok(hasStatus(describeApiError(refused, "https://server"), 403));
    const foreign = Object.assign(new Error("open"), { code: "ENOENT" });
    assert.equal(describeApiError(foreign, "https://server"), foreign);
  });
});

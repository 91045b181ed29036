import assert from "node:assert/strict";
import { renderDaemonConfig, getDaemonPaths, findFreeBridge } from "./daemon-config.ts";

describe("the private Docker daemon's configuration", () => {
  const paths = getDaemonPaths("/var/cache/interlay");
  const bridge = findFreeBridge([]);

  it("has all paths in the cache, except the runtime directory", () => {
    const config = renderDaemonConfig(paths, { runtime: undefined, bridge });
    const files = [...config.matchAll(/"(?:unix:\/\/)?(\/[^"]*)"/g)].map((match) => match[1] ?? "");
    assert.equal(files.length, 4);
    const elsewhere = files.filter((file) => !file.startsWith("/var/cache/interlay/engine/"));
    assert.deepEqual(elsewhere, [paths.runtimeDirectory]);
    assert.match(paths.runtimeDirectory, /^\/run\/interlay-engine-[0-9a-f]{8}$/);
    assert.notEqual(getDaemonPaths("/another").runtimeDirectory, paths.runtimeDirectory);
  });

  it("names an OCI runtime only if it is needed", () => {
    assert.doesNotMatch(renderDaemonConfig(paths, { runtime: undefined, bridge }), /runtime/);
    assert.match(renderDaemonConfig(paths, { runtime: "/r", bridge }), /"default-runtime": "interlay"/);
  });

  it("has a namespace of its own in the containerd of another Docker", () => {
    const config = JSON.parse(renderDaemonConfig(paths, { runtime: undefined, bridge })) as Record<string, unknown>;
    assert.equal(config["containerd-namespace"], "interlay");
  });

  it("has a bridge address outside of the machine's networks", () => {
    assert.equal(findFreeBridge(["10.0.2.15/24", "127.0.0.1/8"]), "172.29.255.1/24");
    assert.equal(findFreeBridge(["172.16.4.1/12"]), "192.168.255.1/24");
    assert.equal(findFreeBridge(["172.29.255.7/32", "192.168.0.0/16", "10.254.0.1/16"]), "100.127.255.1/24");
    assert.throws(() => findFreeBridge(["0.0.0.0/0"]), /start Docker manually/);
  });
});

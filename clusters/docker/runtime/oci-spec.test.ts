import assert from "node:assert/strict";
import { findMissingCapabilities, restrictConfig, listSpecificationFiles } from "./oci-spec.ts";

describe("the OCI runtime wrapper", () => {
  const missing = findMissingCapabilities("Name:\tx\nCapBnd:\t000001fffeffffff\n");

  it("finds the capabilities that the bounding set lacks", () => {
    assert.deepEqual([...missing], ["CAP_SYS_RESOURCE"]);
    assert.deepEqual([...findMissingCapabilities("CapBnd:\t000001ffffffffff")], []);
  });

  it("removes only what this machine is not permitted to do", () => {
    const config = {
      ociVersion: "1.0.2",
      process: {
        args: ["/sbin/init"],
        capabilities: { bounding: ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"], ambient: [] },
        oomScoreAdj: -999,
        rlimits: [{ type: "RLIMIT_NOFILE", hard: 1, soft: 1 }],
      },
    };
    assert.deepEqual(restrictConfig(config, missing), {
      ociVersion: "1.0.2",
      process: { args: ["/sbin/init"], capabilities: { bounding: ["CAP_SYS_ADMIN"], ambient: [] }, oomScoreAdj: 0 },
    });
  });

  it("finds the specification in all forms of runc's arguments", () => {
    const create = ["--root", "/r", "create", "--bundle", "/b", "--pid-file", "/p", "id"];
    assert.deepEqual(listSpecificationFiles(create), [{ file: "/b/config.json", kind: "config" }]);
    assert.deepEqual(listSpecificationFiles(["exec", "--process=/tmp/p.json", "id"]), [
      { file: "/tmp/p.json", kind: "process" },
    ]);
    assert.deepEqual(listSpecificationFiles(["state", "id"]), []);
  });
});

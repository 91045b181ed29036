import assert from "node:assert/strict";
import { readPluginPaths } from "./plugin-paths.ts";
import { CniError, CODE } from "./error.ts";
import { parseOptions } from "./network-options.ts";

describe("options of the plugin", () => {
  const refused: readonly (readonly [string, string])[] = [
    ["hijackCidrs", "interlay has no option hijackCidrs: is hijackCIDRs meant?"],
    ["hijackCIDR", "interlay has no option hijackCIDR: is hijackCIDRs meant?"],
    ["Mode", "interlay has no option Mode: is mode meant?"],
    ["conflictDetecton", "interlay has no option conflictDetecton: is conflictDetection meant?"],
    ["vethLinkAddress", "interlay has no option vethLinkAddress"],
  ];
  for (const [key, message] of refused)
    it(`${key} is none`, () => {
      assert.throws(
        () => parseOptions({ cniVersion: "1.1.0", name: "net", type: "interlay", [key]: [] }),
        (error: unknown) =>
          error instanceof CniError && error.code === CODE.invalidConfig && error.message.startsWith(message),
      );
    });

  for (const key of ["logFile", "stateDirectory"])
    it(`refuses ${key}: a network configuration may not name a path on the node`, () => {
      assert.throws(
        () => parseOptions({ cniVersion: "1.1.0", name: "net", type: "interlay", [key]: "/etc/cron.d/x" }),
        (error: unknown) =>
          error instanceof CniError &&
          error.code === CODE.invalidConfig &&
          error.message.startsWith(`${key} is not allowed in a network configuration`),
      );
    });

  it("should read paths from the environment and reject relative ones", () => {
    const { state, log } = readPluginPaths({ INTERLAY_STATE_DIRECTORY: "/s", INTERLAY_LOG_FILE: "/l" });
    assert.deepEqual([state, log], ["/s", "/l"]);
    assert.throws(() => readPluginPaths({ INTERLAY_LOG_FILE: "l" }), { code: CODE.invalidEnvironment });
  });

  it("should ignore keys of the CNI specification, the runtime and Multus", () => {
    const others = {
      cniVersion: "1.1.0",
      name: "net",
      type: "interlay",
      prevResult: {},
      runtimeConfig: { mac: "" },
      args: {},
      capabilities: { ips: true },
      ipam: {},
      dns: {},
      ipMasq: false,
      disableCheck: true,
      disableGC: false,
      deviceID: "0000:03:02.6",
      pciBusID: "0000:03:02.6",
      "cni.dev/valid-attachments": [],
      _comment: "ours",
      "io.kubernetes.cri.pod": "x",
      loadOnlyInlinedPlugins: false,
    };
    assert.equal(parseOptions(others).mode, "auto");
  });
});

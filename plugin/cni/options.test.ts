import assert from "node:assert/strict";
import { CniError, CODE } from "./error.ts";
import { parseOptions } from "./options.ts";

describe("the plugin's options", () => {
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

  it("passes over what is the spec's, the runtime's and Multus's", () => {
    const others = {
      ...{ cniVersion: "1.1.0", name: "net", type: "interlay", prevResult: {}, runtimeConfig: { mac: "" }, args: {} },
      ...{ capabilities: { ips: true }, ipam: {}, dns: {}, ipMasq: false, disableCheck: true, disableGC: false },
      ...{ deviceID: "0000:03:02.6", pciBusID: "0000:03:02.6", "cni.dev/valid-attachments": [], _comment: "ours" },
      ...{ "io.kubernetes.cri.pod": "x", loadOnlyInlinedPlugins: false, stateDirectory: "/s", logFile: "/l" },
    };
    assert.equal(parseOptions(others).mode, "auto");
  });
});

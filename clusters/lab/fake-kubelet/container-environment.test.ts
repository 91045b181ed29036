import assert from "node:assert/strict";
import { buildEnvironment, expandVariables } from "./container-environment.ts";

describe("buildEnvironment", () => {
  it("has the address of the API server's Service, the pod's variables and its fields", () => {
    const env = buildEnvironment(
      { metadata: { name: "p" }, spec: { nodeName: "n", containers: [] } },
      {
        name: "c",
        env: [
          { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
          { name: "FLAG", value: "--node=$(NODE)" },
        ],
      },
      { host: "10.233.0.1", port: "443" },
    );
    assert.deepEqual(
      [env["NODE"], env["FLAG"], env["KUBERNETES_SERVICE_HOST"], env["HOSTNAME"]],
      ["n", "--node=n", "10.233.0.1", "p"],
    );
  });
});

describe("expandVariables", () => {
  it("leaves an unknown name as it is", () => {
    assert.equal(expandVariables("$(A)-$(B)", { A: "1" }), "1-$(B)");
  });
});

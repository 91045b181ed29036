import assert from "node:assert/strict";
import { parseServerSettings } from "./server-settings.ts";

describe("the settings of the agent's servers", () => {
  it("the settings of the agent's servers are health on port 9810 of the loopback and nothing else by default", () => {
    const expected = { healthPort: 9810, metrics: undefined, logLevel: "info" };
    assert.deepEqual(parseServerSettings({}), expected);
    assert.deepEqual(parseServerSettings({ HEALTH_PORT: "", METRICS_BIND_ADDRESS: "", LOG_LEVEL: "" }), expected);
  });

  for (const [text, host, port] of [
    ["0.0.0.0:9811", "0.0.0.0", 9811],
    [":9811", "0.0.0.0", 9811],
    ["[::]:9811", "::", 9811],
  ] as const)
    it(`accept the bind address ${text}, and ask for a token unless they say otherwise`, () => {
      const metrics = { host, port, authentication: "token", tlsDirectory: undefined };
      assert.deepEqual(parseServerSettings({ METRICS_BIND_ADDRESS: text }).metrics, metrics);
      const open = parseServerSettings({ METRICS_BIND_ADDRESS: text, METRICS_AUTHENTICATION: "none" });
      assert.equal(open.metrics?.authentication, "none");
    });

  for (const [name, value, message] of [
    ["METRICS_BIND_ADDRESS", "9811", /invalid METRICS_BIND_ADDRESS "9811": write ADDRESS:PORT/],
    ["METRICS_BIND_ADDRESS", "0.0.0.0:70000", /invalid METRICS_BIND_ADDRESS/],
    ["HEALTH_PORT", "0", /invalid HEALTH_PORT "0"/],
    ["METRICS_AUTHENTICATION", "basic", /invalid METRICS_AUTHENTICATION "basic".*token/],
    ["METRICS_TLS_DIRECTORY", "tls", /invalid METRICS_TLS_DIRECTORY "tls"/],
    ["LOG_LEVEL", "trace", /invalid LOG_LEVEL "trace".*debug/],
  ] as const)
    it(`reject ${name}=${value}`, () => {
      assert.throws(() => parseServerSettings({ [name]: value }), message);
    });
});

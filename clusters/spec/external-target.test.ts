import assert from "node:assert/strict";
import { parseExternalTarget } from "./external-target.ts";

describe("parseExternalTarget", () => {
  const table = [
    ["192.0.2.1", { host: "192.0.2.1" }],
    ["2001:db8::1", { host: "2001:db8::1" }],
    ["192.0.2.1:443", { host: "192.0.2.1", port: 443 }],
    ["[2001:db8::1]:443", { host: "2001:db8::1", port: 443 }],
    ["http://example.com", { host: "example.com", port: 80, url: "http://example.com/" }],
    ["https://example.com:8443/health", { host: "example.com", port: 8443, url: "https://example.com:8443/health" }],
    ["http://[2001:db8::1]/", { host: "2001:db8::1", port: 80, url: "http://[2001:db8::1]/" }],
  ] as const;
  for (const [text, expected] of table)
    it(`parses ${text}`, () => {
      assert.deepEqual(parseExternalTarget(text), { text, ...expected });
    });

  for (const text of ["example.com", "192.0.2.1:0", "192.0.2.1:70000", "ftp://192.0.2.1", "http://user:word@host/", ""])
    it(`rejects "${text}"`, () => {
      assert.throws(() => parseExternalTarget(text), /invalid --external/);
    });
});

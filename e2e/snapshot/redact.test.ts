import assert from "node:assert/strict";
import { redactSecrets } from "./redact.ts";

const SECRET = "abcdef0123456789abcdef";

describe("what goes into a bundle", () => {
  const secrets: Readonly<Record<string, string>> = {
    "a token in YAML": `    token: ${SECRET}`,
    "a token in JSON": `{"bootstrap-token":"${SECRET}"}`,
    "a password on a command line": `--etcd-password=${SECRET} --v=2`,
    "a client key in a kubeconfig": `client-key-data: ${SECRET}`,
    "a private key": `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    "a truncated private key": `-----BEGIN PRIVATE KEY-----\n${SECRET}`,
    "a header": `Authorization: Bearer ${SECRET}`,
    "a JSON web token": `got eyJhbGciOiJS.${SECRET}.sig`,
  };
  for (const [title, text] of Object.entries(secrets))
    it(`has not ${title}`, () => {
      assert.ok(!redactSecrets(text).includes(SECRET), redactSecrets(text));
    });

  it("has all else as it was", () => {
    const text = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n10.7.0.2 dev eth0 src 10.7.200.3\n";
    assert.equal(redactSecrets(text), text);
  });
});

import assert from "node:assert/strict";
import { redactObject, redactSecrets } from "./redact.ts";

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

  it("is still JSON where a secret was removed from JSON", () => {
    const text = JSON.stringify({ password: SECRET, serviceAccountToken: { path: "token" }, secrets: [{ name: "a" }] });
    assert.deepEqual(JSON.parse(redactSecrets(text)), {
      password: "(left out)",
      serviceAccountToken: { path: "token" },
      secrets: [{ name: "a" }],
    });
  });

  it("has all else as it was", () => {
    const text = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n10.7.0.2 dev eth0 src 10.7.200.3\n";
    assert.equal(redactSecrets(text), text);
  });
});

describe("objects in a bundle", () => {
  const pod = {
    metadata: {
      name: "web",
      creationTimestamp: new Date(0),
      managedFields: [{ manager: "kubectl" }],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": SECRET, kept: "yes" },
    },
    spec: {
      containers: [
        {
          name: "web",
          env: [
            { name: "DATABASE", value: SECRET },
            { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
          ],
        },
      ],
    },
  };

  it("objects in a bundle contain names of environment variables, not their values", () => {
    const text = JSON.stringify(redactObject(pod));
    assert.ok(!text.includes(SECRET), text);
    assert.match(text, /"name":"DATABASE"/);
    assert.match(text, /spec\.nodeName/);
  });

  it("objects in a bundle contain no copies of their earlier state, and everything else", () => {
    const text = JSON.stringify(redactObject(pod));
    assert.doesNotMatch(text, /managedFields|last-applied/);
    assert.match(text, /"annotations":\{"kept":"yes"\}/);
    assert.match(text, /"creationTimestamp":"1970-01-01/);
  });
});

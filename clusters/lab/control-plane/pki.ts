import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { runOrThrow } from "../../components/command.ts";
import { API_SERVER_CLIENT } from "./component-arguments.ts";

/** Paths of the lab's keys, certificates and tokens. */
export interface PkiFiles {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly accountKey: string;
  /** Of the nodes' kubelet ports, all of them. */
  readonly kubeletCertificate: string;
  readonly kubeletKey: string;
  /** What the API server shows to them. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** The API server's --token-auth-file: who is who. */
  readonly tokens: string;
}

/** Each with a token of its own; what it may do is RBAC's. */
export interface TokenUser {
  readonly user: string;
  readonly groups: readonly string[];
}

/**
 * Makes everything anew: a lab's keys live as long as the lab.
 * @param addresses of the API server
 * @param nodes addresses of the nodes
 */
export async function createPki(
  directory: string,
  addresses: readonly string[],
  nodes: readonly string[],
): Promise<PkiFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(directory, name);
  const openssl = (...argv: readonly string[]) => runOrThrow(["openssl", ...argv]);
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;
  const own = ["DNS:kubernetes", "DNS:kubernetes.default.svc"];
  const leaves = [
    { file: "server", name: "kube-apiserver", for: [...addresses.map(formatIpName), ...own] },
    { file: "kubelet", name: "kubelet", for: nodes.map(formatIpName) },
    { file: "client", name: API_SERVER_CLIENT, for: ["DNS:kubernetes"] },
  ];
  await Promise.all([
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at("account.key")),
    openssl(
      "req",
      "-x509",
      ...ec,
      "-days",
      "30",
      "-subj",
      "/CN=interlay-lab",
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.crt"),
    ),
    ...leaves.map(async (leaf) => {
      await writeFile(at(`${leaf.file}.ext`), `subjectAltName=${leaf.for.join(",")}\n`, { mode: 0o600 });
      const request = ["-keyout", at(`${leaf.file}.key`), "-out", at(`${leaf.file}.csr`)];
      await openssl("req", ...ec, "-subj", `/CN=${leaf.name}`, ...request);
    }),
  ]);
  await Promise.all(
    leaves.map(({ file }, index) =>
      openssl(
        ...["x509", "-req", "-in", at(`${file}.csr`), "-CA", at("ca.crt"), "-CAkey", at("ca.key")],
        ...["-set_serial", String(index + 2), "-days", "30"],
        ...["-extfile", at(`${file}.ext`), "-out", at(`${file}.crt`)],
      ),
    ),
  );
  return {
    ca: at("ca.crt"),
    serverCertificate: at("server.crt"),
    serverKey: at("server.key"),
    accountKey: at("account.key"),
    kubeletCertificate: at("kubelet.crt"),
    kubeletKey: at("kubelet.key"),
    clientCertificate: at("client.crt"),
    clientKey: at("client.key"),
    tokens: at("tokens.csv"),
  };
}

const formatIpName = (address: string): string => `IP:${address}`;

/** Gives each a token; the API server reads them when it starts. */
export async function createTokens(
  keys: PkiFiles,
  identities: readonly TokenUser[],
): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map(identities.map(({ user }) => [user, randomBytes(24).toString("hex")]));
  const lines = identities.map(({ user, groups }) => `${tokens.get(user) ?? ""},${user},${user},"${groups.join(",")}"`);
  await writeFile(keys.tokens, `${lines.join("\n")}\n`, { mode: 0o600 });
  return tokens;
}

/** A kubeconfig with the CA in it: one file is all that its holder needs. */
export async function renderKubeconfig(server: string, keys: PkiFiles, user: string, token: string): Promise<string> {
  const ca = (await readFile(keys.ca)).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server, "certificate-authority-data": ca } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user } }],
    "current-context": "lab",
  });
}

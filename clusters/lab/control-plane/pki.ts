import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { runOrThrow } from "../../components/run-command.ts";
import { API_SERVER_CLIENT } from "./identities.ts";

const VALID_DAYS = "30";

/** Paths of a lab's keys, certificates and tokens. */
export interface PkiFiles {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly accountKey: string;
  /** Client certificate of the API server for kubelets. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** The API server's --token-auth-file: users and groups by token. */
  readonly tokens: string;
}

/** A user that authenticates with a token. RBAC decides what the user may do. */
interface TokenUser {
  readonly user: string;
  readonly groups: readonly string[];
}

/**
 * Creates the CA, keys and certificates of a lab; they are used as long as the lab exists.
 *
 * @param apiServerAddresses addresses of the API server
 * @param nodeAddresses addresses of all nodes
 */
export async function createPki(
  directory: string,
  apiServerAddresses: readonly string[],
  nodeAddresses: readonly string[],
): Promise<PkiFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const getPath = (name: string) => join(directory, name);
  const openssl = (...argv: readonly string[]) => runOrThrow(["openssl", ...argv]);
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;
  const apiServerNames = ["DNS:kubernetes", "DNS:kubernetes.default.svc"];
  const leaves = [
    { file: "server", name: "kube-apiserver", names: [...apiServerAddresses.map(formatIpName), ...apiServerNames] },
    // Certificate of the kubelet port of every node.
    { file: "kubelet", name: "kubelet", names: nodeAddresses.map(formatIpName) },
    { file: "client", name: API_SERVER_CLIENT, names: ["DNS:kubernetes"] },
  ];
  const ca = ["-keyout", getPath("ca.key"), "-out", getPath("ca.crt")];
  await Promise.all([
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", getPath("account.key")),
    openssl("req", "-x509", ...ec, "-days", VALID_DAYS, "-subj", "/CN=interlay-lab", ...ca),
    ...leaves.map(async (leaf) => {
      await writeFile(getPath(`${leaf.file}.ext`), `subjectAltName=${leaf.names.join(",")}\n`, { mode: 0o600 });
      const request = ["-keyout", getPath(`${leaf.file}.key`), "-out", getPath(`${leaf.file}.csr`)];
      await openssl("req", ...ec, "-subj", `/CN=${leaf.name}`, ...request);
    }),
  ]);
  await Promise.all(
    leaves.map(({ file }, index) => {
      const files = ["-in", getPath(`${file}.csr`), "-extfile", getPath(`${file}.ext`), "-out", getPath(`${file}.crt`)];
      const signer = ["-CA", getPath("ca.crt"), "-CAkey", getPath("ca.key"), "-set_serial", String(index + 2)];
      return openssl("x509", "-req", "-days", VALID_DAYS, ...files, ...signer);
    }),
  );
  return {
    ca: getPath("ca.crt"),
    serverCertificate: getPath("server.crt"),
    serverKey: getPath("server.key"),
    accountKey: getPath("account.key"),
    clientCertificate: getPath("client.crt"),
    clientKey: getPath("client.key"),
    tokens: getPath("tokens.csv"),
  };
}

const formatIpName = (address: string): string => `IP:${address}`;

/** Creates a token for each user, and writes the API server's token file. @returns token by user */
export async function createTokens(
  pki: PkiFiles,
  identities: readonly TokenUser[],
): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map(identities.map(({ user }) => [user, randomBytes(24).toString("hex")]));
  const lines = identities.map(({ user, groups }) => `${tokens.get(user) ?? ""},${user},${user},"${groups.join(",")}"`);
  await writeFile(pki.tokens, `${lines.join("\n")}\n`, { mode: 0o600 });
  return tokens;
}

/** Returns a kubeconfig that contains the CA's certificate. */
export async function renderKubeconfig(server: string, pki: PkiFiles, user: string, token: string): Promise<string> {
  const ca = (await readFile(pki.ca)).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server, "certificate-authority-data": ca } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user } }],
    "current-context": "lab",
  });
}

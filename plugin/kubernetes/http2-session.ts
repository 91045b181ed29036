import type { SecureClientSessionOptions } from "node:http2";
import type { RequestOptions } from "node:https";

/** Returns the part of a kubeconfig's HTTPS options that a connection needs. */
export function readTlsOptions(options: RequestOptions): SecureClientSessionOptions {
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options;
  return Object.fromEntries(
    Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized }).filter(
      // client-node has null for what a kubeconfig does not have
      ([, value]) => value !== undefined && (value as unknown) !== null,
    ),
  );
}

/** Returns the header that client-node adds for a token, a password or an authentication plugin. */
export function readAuthorization({ headers }: RequestOptions): string | undefined {
  const header = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "authorization");
  return typeof header?.[1] === "string" ? header[1] : undefined;
}

/** Codes of connections to a server that speaks only HTTP/1.1: of OpenSSL, and of node:http2. */
const REFUSED = /NO_APPLICATION_PROTOCOL|^ERR_HTTP2_ERROR$/;

/** Returns true if a connection failed because the server speaks only HTTP/1.1. */
export function isHttp2Refused(error: unknown): boolean {
  return error instanceof Error && "code" in error && REFUSED.test(String(error.code));
}

/** Creates the error for a server that speaks only HTTP/1.1. */
export function createHttp2RefusedError(): Error {
  return Object.assign(new Error("the server did not choose HTTP/2"), { code: "ERR_HTTP2_ERROR" });
}

/** Creates the error that fetch has for a request without a response in time. */
export function createTimeoutError(): Error {
  return new DOMException("The operation was aborted due to timeout", "TimeoutError");
}

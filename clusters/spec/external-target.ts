import { isIP, isIPv4 } from "node:net";

/** A target outside of the cluster that the user names. */
export interface ExternalTarget {
  /** The text that the user wrote. */
  readonly text: string;
  /** An address, or a name that the pods resolve. */
  readonly host: string;
  /** Undefined: it is pinged. */
  readonly port?: number;
  /** `http://…` or `https://…`: any response counts as an answer. Undefined: a connection is enough. */
  readonly url?: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Parses a URL, `ADDRESS` or `ADDRESS:PORT`; an IPv6 address with a port is in brackets. @throws for any other text */
export function parseExternalTarget(text: string): ExternalTarget {
  if (isIP(text) !== 0) return { text, host: text };
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  if (isIP(host) !== 0 && port > 0 && port < 65_536 && isIPv4(host) === (plain !== undefined))
    return { text, host, port };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaultPort = DEFAULT_PORTS[url?.protocol ?? ""];
  if (url === undefined || defaultPort === undefined || url.username !== "" || url.password !== "")
    throw new Error(
      `invalid --external "${text}": write an http or https URL without a password, ADDRESS or ADDRESS:PORT`,
    );
  return {
    text,
    host: url.hostname.replaceAll(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort : Number(url.port),
    url: url.href,
  };
}

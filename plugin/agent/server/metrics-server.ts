import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import { getErrorMessage } from "../../errors/error-message.ts";
import { writeLog } from "../status/agent-log.ts";
import { listenWhenFree } from "./listen.ts";
import type { ScrapeAuthorizer, ScrapeVerdict } from "./scrape-authorizer.ts";
import type { MetricsListener } from "./server-settings.ts";

/** Content type of Prometheus' text format. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const STATUS: Readonly<Record<Exclude<ScrapeVerdict, "allowed">, number>> = { unauthenticated: 401, forbidden: 403 };

/**
 * Serves `/metrics` to other hosts.
 * @param renderText returns Prometheus' text format
 * @param authorizer authorizes clients if the listener requires a token
 */
export function serveMetrics(
  { host, port, authentication, tlsDirectory }: MetricsListener,
  renderText: () => Promise<string>,
  authorizer: ScrapeAuthorizer,
): Promise<Server> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void answerScrape(request, authentication === "token" ? authorizer : undefined, renderText)
      .catch((error: unknown) => {
        writeLog("warn", "a scrape failed", { error: getErrorMessage(error) });
        return { status: 500, headers: {}, body: "" };
      })
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
  };
  if (tlsDirectory === undefined) return listenWhenFree(createHttpServer(handle), { port, host });
  const readPair = () => ({
    cert: readFileSync(join(tlsDirectory, "tls.crt")),
    key: readFileSync(join(tlsDirectory, "tls.key")),
  });
  const server = createHttpsServer({ ...readPair(), minVersion: "TLSv1.2" }, handle);
  renewCertificate(readPair, server);
  return listenWhenFree(server, { port, host });
}

interface ScrapeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function answerScrape(
  { url, headers }: IncomingMessage,
  authorizer: ScrapeAuthorizer | undefined,
  renderText: () => Promise<string>,
): Promise<ScrapeAnswer> {
  if (url !== "/metrics") return { status: 404, headers: {}, body: "" };
  const verdict = (await authorizer?.authorize(headers.authorization)) ?? "allowed";
  if (verdict !== "allowed")
    return {
      status: STATUS[verdict],
      headers: verdict === "unauthenticated" ? { "www-authenticate": "Bearer" } : {},
      body: `${verdict}: the client needs a bearer token whose user may get the non-resource URL /metrics\n`,
    };
  return { status: 200, headers: { "content-type": METRICS_CONTENT_TYPE }, body: await renderText() };
}

/** Milliseconds between two reads of the certificate: the kubelet updates a Secret's files within about a minute. */
const RENEW_MS = 60_000;

function renewCertificate(
  readPair: () => { readonly cert: Buffer; readonly key: Buffer },
  server: ReturnType<typeof createHttpsServer>,
): void {
  let currentPair = readPair();
  const timer = setInterval(() => {
    try {
      const pair = readPair();
      if (!pair.cert.equals(currentPair.cert)) server.setSecureContext(pair);
      currentPair = pair;
    } catch (error) {
      writeLog("warn", "the certificate of the metrics cannot be read", { error: getErrorMessage(error) });
    }
  }, RENEW_MS);
  timer.unref();
  server.on("close", () => {
    clearInterval(timer);
  });
}

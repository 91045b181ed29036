import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { ProbeAnswer } from "./protocol.ts";

/**
 * Sends a GET request. Every response is an answer, whatever its status: it has come from the server. The certificate is not
 * checked, because the suite tests the network.
 */
export function probeHttp(url: string, timeoutMs: number): Promise<Pick<ProbeAnswer, "ok" | "error">> {
  return new Promise((resolve) => {
    const options = { method: "GET", agent: false, signal: AbortSignal.timeout(timeoutMs) } as const;
    const request = url.startsWith("https:")
      ? requestHttps(url, { ...options, rejectUnauthorized: false })
      : requestHttp(url, options);
    request.on("response", (response) => {
      response.destroy();
      resolve({ ok: true });
    });
    request.on("error", (error) => {
      const isLate = error.name === "AbortError" || error.name === "TimeoutError";
      resolve({ ok: false, error: isLate ? `no response in ${timeoutMs} ms` : error.message });
    });
    request.end();
  });
}

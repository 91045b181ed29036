import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/** Waits until the API server on a loopback port reports that it is ready. */
export async function waitUntilServed(port: number): Promise<void> {
  while (!(await isServed(port))) await sleep(POLL_MS);
}

function isServed(port: number): Promise<boolean> {
  // No secret is sent and only the status is read, so the certificate is not checked.
  const options = { host: "127.0.0.1", port, path: "/readyz", rejectUnauthorized: false, agent: false };
  return new Promise((resolve) => {
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => {
        resolve(false);
      })
      .end();
  });
}

import { once } from "node:events";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { RESULTS } from "../../results/files/write.ts";
import { serveUntilSignal } from "./serve-until-signal.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".xml": "application/xml",
  ".gz": "application/gzip",
  ".log": "text/plain; charset=utf-8",
};

/**
 * Serves results/runs on 127.0.0.1 until SIGINT or SIGTERM.
 * @param onReady called with the URL
 */
export async function serveRuns(port: number, onReady: (url: string) => void): Promise<void> {
  await serveUntilSignal(await startReportServer(join(RESULTS, "runs"), port), onReady);
}

/** Starts a server for the files of a directory. @returns the server once it listens */
export async function startReportServer(directory: string, port: number): Promise<Server> {
  const root = await realpath(directory);
  const server = createServer((request, response) => {
    void answerRequest(root, request, response);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function answerRequest(root: string, { url = "/", method }: IncomingMessage, response: ServerResponse) {
  const file = method === "GET" || method === "HEAD" ? await findFile(root, url) : undefined;
  if (file === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  if (method === "HEAD") response.end();
  else await pipeline(createReadStream(file), response).catch(() => response.destroy());
}

/** Finds the file of a URL. @returns undefined for a path that does not exist, or is outside the directory */
async function findFile(root: string, url: string): Promise<string | undefined> {
  try {
    const { pathname } = new URL(url, "http://localhost");
    const path = await realpath(join(root, decodeURIComponent(pathname)));
    if (path !== root && !path.startsWith(`${root}${sep}`)) return undefined;
    const file = (await stat(path)).isDirectory() ? join(path, path === root ? "index.html" : "report.html") : path;
    return (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

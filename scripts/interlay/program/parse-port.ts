import { InvalidArgumentError } from "commander";

/** Parses the TCP port of an option; 0 means any free port. @throws an error that commander prints */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("want a number from 0 to 65535.");
  return port;
}

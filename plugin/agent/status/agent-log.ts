/** Levels of the log, the least important first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

let leastLevel: LogLevel = "info";

/** Sets the least important level that is written; `info` at the start. */
export function setLogLevel(level: LogLevel): void {
  leastLevel = level;
}

/** Writes one JSON line to stdout, unless its level is less important than the set one. */
export function writeLog(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(leastLevel)) return;
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}

/** Logs an object of the cluster that is skipped because its schema rejects it. */
export function logInvalidObject(message: string): void {
  writeLog("warn", "object skipped", { error: message });
}

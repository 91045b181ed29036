import { z } from "zod";
import { LOG_LEVELS, type LogLevel } from "../status/agent-log.ts";

/** Address and authentication of the metrics for other hosts. */
export interface MetricsListener {
  readonly host: string;
  readonly port: number;
  /** `token`: a client needs a bearer token whose user may `get /metrics`; `none`: anyone may read. */
  readonly authentication: "token" | "none";
  /** Directory with tls.crt and tls.key; undefined for HTTP. */
  readonly tlsDirectory: string | undefined;
}

/** Settings of the agent's servers and log: the environment of the DaemonSet's container. */
export interface ServerSettings {
  /** Port of health and metrics on 127.0.0.1. */
  readonly healthPort: number;
  /** If undefined, the metrics are served on 127.0.0.1 only. */
  readonly metrics: MetricsListener | undefined;
  readonly logLevel: LogLevel;
}

const port = z.coerce.number().int().min(1).max(65535);
/** Kubernetes sets a variable of an optional value to the empty string. */
const orUnset = <T extends z.ZodType>(schema: T) => z.preprocess((value) => (value === "" ? undefined : value), schema);

const environment = z.object({
  HEALTH_PORT: orUnset(port.default(9810)),
  METRICS_BIND_ADDRESS: orUnset(z.string().optional()),
  METRICS_AUTHENTICATION: orUnset(z.enum(["token", "none"]).default("token")),
  METRICS_TLS_DIRECTORY: orUnset(z.string().startsWith("/").optional()),
  LOG_LEVEL: orUnset(z.enum(LOG_LEVELS).default("info")),
});

/**
 * Parses the settings from environment variables.
 * @throws an error with name and value of the first invalid variable, and the accepted values
 */
export function parseServerSettings(env: Readonly<Record<string, string | undefined>>): ServerSettings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new Error(`invalid ${name} "${env[name] ?? ""}": ${issue?.message ?? ""}`);
  }
  const { HEALTH_PORT, METRICS_BIND_ADDRESS, METRICS_AUTHENTICATION, METRICS_TLS_DIRECTORY, LOG_LEVEL } = parsed.data;
  return {
    healthPort: HEALTH_PORT,
    metrics:
      METRICS_BIND_ADDRESS === undefined
        ? undefined
        : {
            ...parseBindAddress(METRICS_BIND_ADDRESS),
            authentication: METRICS_AUTHENTICATION,
            tlsDirectory: METRICS_TLS_DIRECTORY,
          },
    logLevel: LOG_LEVEL,
  };
}

function parseBindAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]*)):(\d+)$/.exec(text);
  const parsed = port.safeParse(match?.[3]);
  if (match === null || !parsed.success)
    throw new Error(`invalid METRICS_BIND_ADDRESS "${text}": write ADDRESS:PORT, e.g. 0.0.0.0:9811 or [::]:9811`);
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port: parsed.data };
}

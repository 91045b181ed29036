const HIDDEN = "(left out)";

/**
 * Removes secrets from text for a bundle: private keys, tokens, passwords. It removes too much rather than too little, because
 * bundles are published.
 */
export function redactSecrets(text: string): string {
  return text
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN)
    .replaceAll(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN) // JSON web tokens
    .replaceAll(/\b(bearer)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`)
    .replaceAll(
      /(["']?\b[\w-]*(?:token|password|passwd|secret|client-key-data|private[-_]?key)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;{}[\]]+)/gi,
      (_, key: string, value: string) => {
        const quote = /^["']/.exec(value)?.[0] ?? ""; // JSON stays valid
        return `${key}${quote}${HIDDEN}${quote}`;
      },
    );
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Returns a Kubernetes object without the values of environment variables, any of which may be a secret, and without copies of
 * its earlier state.
 */
export function redactObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactObject);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "managedFields" && key !== LAST_APPLIED)
      .map(([key, inner]) => [key, key === "env" && Array.isArray(inner) ? inner.map(hideValue) : redactObject(inner)]),
  );
}

function hideValue(variable: unknown): unknown {
  return typeof variable === "object" && variable !== null && "value" in variable
    ? { ...variable, value: HIDDEN }
    : variable;
}

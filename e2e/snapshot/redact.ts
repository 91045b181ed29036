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
      /(["']?\b[\w-]*(?:token|password|passwd|secret|client-key-data|private[-_]?key)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
      `$1${HIDDEN}`,
    );
}

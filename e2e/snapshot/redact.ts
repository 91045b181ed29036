const HIDDEN = "(left out)";

/**
 * Takes secrets out of what goes into a bundle: keys, certificates' private halves, tokens, passwords. Rather too much
 * than too little: a bundle is handed to strangers.
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

/** Environment variables: of this process, or the options of a command under the same names. */
export type Variables = Readonly<Record<string, string | undefined>>;

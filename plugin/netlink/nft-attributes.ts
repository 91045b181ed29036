/** Attribute numbers of linux/netfilter/nf_tables.h, as many as Interlay uses. Each object is one enum of the header. */

export const NFTA_LIST = { element: 1 } as const;
export const NFTA_TABLE = { name: 1 } as const;
export const NFTA_CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const NFTA_HOOK = { number: 1, priority: 2, device: 3 } as const;
export const NFTA_RULE = { table: 1, chain: 2, expressions: 4, userdata: 7 } as const;
export const NFTA_SET = { table: 1, name: 2, flags: 3, keyType: 4, keyLength: 5, id: 10, timeout: 11 } as const;
export const NFTA_GENERATION = { id: 1 } as const;

export const NFTA_EXPRESSION = { name: 1, data: 2 } as const;
export const NFTA_DATA = { value: 1, verdict: 2 } as const;
export const NFTA_VERDICT = { code: 1 } as const;
export const NFTA_META = { destinationRegister: 1, key: 2, sourceRegister: 3 } as const;
export const NFTA_PAYLOAD = { register: 1, base: 2, offset: 3, length: 4 } as const;
export const NFTA_COMPARE = { register: 1, operator: 2, data: 3 } as const;
export const NFTA_BITWISE = { sourceRegister: 1, destinationRegister: 2, length: 3, mask: 4, xor: 5 } as const;
export const NFTA_IMMEDIATE = { register: 1, data: 2 } as const;
export const NFTA_DYNSET = { set: 1, operation: 3, keyRegister: 4 } as const;
export const NFTA_LOOKUP = { set: 1, register: 2 } as const;
export const NFTA_FIB = { register: 1, result: 2, flags: 3 } as const;
export const NFTA_COUNTER = { bytes: 1, packets: 2 } as const;

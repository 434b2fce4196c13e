/** A sign as it stands in an address where the sign itself would mean something: `%` and its number. */
export const escapeSign = (sign: string): string => `%${sign.charCodeAt(0).toString(16)}`;

/** The sign again; for `replace` with a pattern whose only group is its number. */
export const unescapeSign = (_: string, code: string): string => String.fromCharCode(Number.parseInt(code, 16));

/** A column of twice the length, with what is in this one at its start. */
export function doubled<T extends Float64Array | Uint32Array>(column: T): T {
  const grown = new (column.constructor as new (length: number) => T)(column.length * 2);
  grown.set(column);
  return grown;
}

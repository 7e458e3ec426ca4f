/**
 * The module's memory is laid out once, when a scanner is set up: each part reserves what it can need at
 * most. It never grows afterwards, so that the views that JavaScript has of it, into which sources are
 * read, stay what they are. Pages that are never touched take no room in RAM.
 */
const PAGE_BITS: u32 = 16;
const ALIGNMENT: usize = 64;
/** Sixteen bytes are loaded at once, from any byte that may be looked at. */
const MARGIN: usize = 64;

/** Sixteen bytes from 16 - n on are a mask of the first n. */
export const masks = memory.data<u64>([-1, -1, 0, 0], 16);

let end: usize = __heap_base;

/** Reserves zeroed bytes, and a margin behind them. Traps where there is no memory. */
export function reserve(bytes: usize): usize {
  const start = (end + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  end = start + bytes + MARGIN;
  const pages = ((end + (1 << PAGE_BITS) - 1) >> PAGE_BITS) as i32;
  if (end < start || (pages > memory.size() && memory.grow(pages - memory.size()) < 0)) {
    unreachable();
  }
  return start;
}

/** Bytes that mean something. */
export const TAB: u32 = 0x09;
export const LF: u32 = 0x0a;
export const VERTICAL_TAB: u32 = 0x0b;
export const FORM_FEED: u32 = 0x0c;
export const CR: u32 = 0x0d;
export const SPACE: u32 = 0x20;
export const QUOTE: u32 = 0x22;
export const PLUS: u32 = 0x2b;
export const COMMA: u32 = 0x2c;
export const MINUS: u32 = 0x2d;
export const DOT: u32 = 0x2e;
export const ZERO: u32 = 0x30;
export const COLON: u32 = 0x3a;
export const OPEN_BRACKET: u32 = 0x5b;
export const BACKSLASH: u32 = 0x5c;
export const CLOSE_BRACKET: u32 = 0x5d;
export const OPEN_BRACE: u32 = 0x7b;
export const CLOSE_BRACE: u32 = 0x7d;
export const LAST_CONTROL: u32 = 0x1f;
export const LAST_ASCII: u32 = 0x7f;

/** A digit's number; of any other byte, more than 9. */
export function digitAt(p: usize): u32 {
  return (load<u8>(p) as u32) - ZERO;
}

/** Two bytes: a quote and a colon behind it. */
export const QUOTE_COLON: u16 = 0x3a22;

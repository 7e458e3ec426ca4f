/**
 * Key → id, a copy of what the KeyTables in JavaScript have, for types and for words. A key that is not here
 * is asked for there (`newKey`), which gives it an id, and kept; where the table there is full it is none.
 *
 * Open addressing with linear probing. A slot has the first sixteen bytes of its key, so that most keys are
 * compared by one load and never followed; the rest of a longer one is kept apart.
 *
 * The hash is pair-multiply-shift (M. Thorup, "High Speed Hashing for Integers and Strings", 2015): a sum of
 * products with random factors, of which the upper half is used. Whoever does not know the factors cannot
 * choose keys that collide more than by chance.
 */
import { masks, reserve } from './memory';

/** Asks JavaScript for the id of a key that is not here, by its kind and where its bytes are. */
declare function newKey(kind: u32, key: usize, bytes: u32): u32;

export const TYPES: u32 = 0;
export const WORDS: u32 = 1;
/** The key past every bound. */
export const OVERFLOW_ID: u32 = 0;
const MISSING: u32 = u32.MAX_VALUE;

/** Of a key, in its slot and in the hash's first part; of a longer one, the rest follows. */
const HEAD_BYTES: u32 = 16;
const SLOT_BITS: u32 = 5;
const SLOT_HEAD: usize = 0;
/** 0: the slot is empty. */
const SLOT_BYTES: usize = 16;
const SLOT_ID: usize = 20;
const SLOT_REST: usize = 24;

/** Slots of a new table, as a power of two. */
const CAPACITY_BITS_MIN: u32 = 10;

const TABLE_BITS: u32 = 6;
const TABLE_SLOTS: usize = 0;
const TABLE_CAPACITY_BITS: usize = 4;
const TABLE_CAPACITY_BITS_MAX: usize = 8;
const TABLE_COUNT: usize = 12;
/** Where the rest of the next longer key goes, and where there is no more room. */
const TABLE_REST: usize = 16;
const TABLE_REST_END: usize = 20;
const TABLE_KEY_BYTES_MAX: usize = 24;
/** The table in JavaScript takes no more keys, and all that it has are here. */
const TABLE_IS_FULL: usize = 28;
/** A key of JavaScript's is missing here: there was no room. */
const TABLE_IS_PARTIAL: usize = 32;

const tables = memory.data(2 << TABLE_BITS, 16);
/** Random 64-bit factors: one for the length, then two for every eight bytes of a key. */
let factors: usize = 0;

/** Gives where the factors belong, as many as a key of any kind needs. */
export function setUpFactors(bytes: usize): usize {
  factors = reserve(bytes);
  return factors;
}

/** `restBytes`: room for what keys have past their heads. */
export function setUpKeyTable(kind: u32, keysMax: u32, keyBytesMax: u32, restBytes: usize): void {
  const table = tableOf(kind);
  store<u32>(table, keyBytesMax, TABLE_KEY_BYTES_MAX);
  let bitsMax = CAPACITY_BITS_MIN;
  while (!isEnough(bitsMax, keysMax)) bitsMax++;
  // A table that grows is made anew behind the one that it was: all together are twice the largest.
  const slots = reserve((2 as usize) << (bitsMax + SLOT_BITS));
  const rest = reserve(restBytes);
  store<usize>(table, slots, TABLE_SLOTS);
  store<u32>(table, CAPACITY_BITS_MIN, TABLE_CAPACITY_BITS);
  store<u32>(table, bitsMax, TABLE_CAPACITY_BITS_MAX);
  store<usize>(table, rest, TABLE_REST);
  store<usize>(table, rest + restBytes, TABLE_REST_END);
}

/** At most three quarters of the slots are in use. */
function isEnough(capacityBits: u32, keys: u32): bool {
  return (keys as u64) * 4 <= (3 as u64) << capacityBits;
}

function tableOf(kind: u32): usize {
  return tables + (kind << TABLE_BITS);
}

/** The id of a key in well-formed UTF-8, not empty. */
export function idOf(kind: u32, key: usize, bytes: u32): u32 {
  const table = tableOf(kind);
  if (bytes > load<u32>(table, TABLE_KEY_BYTES_MAX)) return OVERFLOW_ID;
  const id = find(table, key, bytes);
  return id === MISSING ? idOfNew(kind, key, bytes) : id;
}

function idOfNew(kind: u32, key: usize, bytes: u32): u32 {
  const table = tableOf(kind);
  if (load<u32>(table, TABLE_IS_FULL) !== 0) return OVERFLOW_ID;
  const id = newKey(kind, key, bytes);
  if (id !== OVERFLOW_ID) addKey(kind, key, bytes, id);
  else if (load<u32>(table, TABLE_IS_PARTIAL) === 0) store<u32>(table, 1, TABLE_IS_FULL);
  return id;
}

/** Keeps a key that is not here. */
export function addKey(kind: u32, key: usize, bytes: u32, id: u32): void {
  const table = tableOf(kind);
  const count = load<u32>(table, TABLE_COUNT);
  const capacityBits = load<u32>(table, TABLE_CAPACITY_BITS);
  const rest = load<usize>(table, TABLE_REST);
  const restBytes = bytes > HEAD_BYTES ? ((bytes - HEAD_BYTES) as usize) : 0;
  const isGrowing = !isEnough(capacityBits, count + 1);
  const hasRoom = !isGrowing || capacityBits < load<u32>(table, TABLE_CAPACITY_BITS_MAX);
  if (!hasRoom || rest + restBytes > load<usize>(table, TABLE_REST_END)) {
    store<u32>(table, 1, TABLE_IS_PARTIAL);
    return;
  }
  if (isGrowing) grow(table, capacityBits);
  store<u32>(table, count + 1, TABLE_COUNT);
  const slot = freeSlot(table, hashOf(key, bytes));
  v128.store(slot, headOf(key, bytes), SLOT_HEAD);
  store<u32>(slot, bytes, SLOT_BYTES);
  store<u32>(slot, id, SLOT_ID);
  store<usize>(slot, rest, SLOT_REST);
  memory.copy(rest, key + HEAD_BYTES, restBytes);
  store<usize>(table, rest + restBytes, TABLE_REST);
}

function grow(table: usize, capacityBits: u32): void {
  const old = load<usize>(table, TABLE_SLOTS);
  const oldEnd = old + ((1 as usize) << (capacityBits + SLOT_BITS));
  store<usize>(table, oldEnd, TABLE_SLOTS);
  store<u32>(table, capacityBits + 1, TABLE_CAPACITY_BITS);
  for (let slot = old; slot < oldEnd; slot += (1 as usize) << SLOT_BITS) {
    const bytes = load<u32>(slot, SLOT_BYTES);
    if (bytes === 0) continue;
    const hash = hashOfSlot(slot, bytes);
    memory.copy(freeSlot(table, hash), slot, (1 as usize) << SLOT_BITS);
  }
}

function find(table: usize, key: usize, bytes: u32): u32 {
  const head = headOf(key, bytes);
  const capacityBits = load<u32>(table, TABLE_CAPACITY_BITS);
  const slots = load<usize>(table, TABLE_SLOTS);
  const mask = ((1 as usize) << (capacityBits + SLOT_BITS)) - 1;
  let hash = headHash(head, bytes);
  if (bytes > HEAD_BYTES) hash += restHash(key + HEAD_BYTES, bytes - HEAD_BYTES);
  let at = slotOffset(hash, capacityBits);
  while (true) {
    const slot = slots + at;
    const slotBytes = load<u32>(slot, SLOT_BYTES);
    if (
      slotBytes === bytes &&
      !v128.any_true(v128.xor(head, v128.load(slot, SLOT_HEAD))) &&
      (bytes <= HEAD_BYTES ||
        isEqual(key + HEAD_BYTES, load<usize>(slot, SLOT_REST), bytes - HEAD_BYTES))
    ) {
      return load<u32>(slot, SLOT_ID);
    }
    if (slotBytes === 0) return MISSING;
    at = (at + ((1 as usize) << SLOT_BITS)) & mask;
  }
}

function freeSlot(table: usize, hash: u64): usize {
  const capacityBits = load<u32>(table, TABLE_CAPACITY_BITS);
  const slots = load<usize>(table, TABLE_SLOTS);
  const mask = ((1 as usize) << (capacityBits + SLOT_BITS)) - 1;
  let at = slotOffset(hash, capacityBits);
  while (load<u32>(slots + at, SLOT_BYTES) !== 0) at = (at + ((1 as usize) << SLOT_BITS)) & mask;
  return slots + at;
}

function slotOffset(hash: u64, capacityBits: u32): usize {
  return ((hash >> (64 - capacityBits)) as usize) << SLOT_BITS;
}

/** The first sixteen bytes of a key, zeros after its end. */
function headOf(key: usize, bytes: u32): v128 {
  const length = min(bytes, HEAD_BYTES) as usize;
  return v128.and(v128.load(key), v128.load(masks + 16 - length));
}

function hashOf(key: usize, bytes: u32): u64 {
  const hash = headHash(headOf(key, bytes), bytes);
  return bytes > HEAD_BYTES ? hash + restHash(key + HEAD_BYTES, bytes - HEAD_BYTES) : hash;
}

function hashOfSlot(slot: usize, bytes: u32): u64 {
  const hash = headHash(v128.load(slot, SLOT_HEAD), bytes);
  const rest = load<usize>(slot, SLOT_REST);
  return bytes > HEAD_BYTES ? hash + restHash(rest, bytes - HEAD_BYTES) : hash;
}

function headHash(head: v128, bytes: u32): u64 {
  const low = i64x2.extract_lane(head, 0) as u64;
  const high = i64x2.extract_lane(head, 1) as u64;
  const ofBytes = load<u64>(factors) * (bytes as u64);
  return ofBytes + pairHash(low, factors + 16) + pairHash(high, factors + 32);
}

function restHash(rest: usize, bytes: u32): u64 {
  let hash: u64 = 0;
  let pair = factors + 48;
  let left = bytes;
  for (; left >= 8; left -= 8) {
    hash += pairHash(load<u64>(rest), pair);
    rest += 8;
    pair += 16;
  }
  if (left > 0) hash += pairHash(load<u64>(rest) & ((1 << (8 * left)) - 1), pair);
  return hash;
}

function pairHash(eight: u64, pair: usize): u64 {
  return (load<u64>(pair) + (eight >> 32)) * (load<u64>(pair, 8) + (eight & 0xffff_ffff));
}

function isEqual(a: usize, b: usize, bytes: u32): bool {
  let left = bytes;
  for (; left >= 8; left -= 8) {
    if (load<u64>(a) !== load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  return left === 0 || (load<u64>(a) ^ load<u64>(b)) << (64 - 8 * left) === 0;
}

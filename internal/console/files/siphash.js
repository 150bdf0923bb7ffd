// SipHash-2-4, 64 bits, in pairs of 32-bit words: BigInt would be some hundred times slower.

const zeroKey = new Uint32Array(4);

// siphash of bytes (a Uint8Array) under a key of four little-endian words, as 16 hex digits.
export function siphash(bytes, key = zeroKey) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // v0…v3, each low word first.
  const v = new Uint32Array([
    key[0] ^ 0x70736575, key[1] ^ 0x736f6d65,
    key[2] ^ 0x6e646f6d, key[3] ^ 0x646f7261,
    key[0] ^ 0x6e657261, key[1] ^ 0x6c796765,
    key[2] ^ 0x79746573, key[3] ^ 0x74656462,
  ]);
  const whole = bytes.length - (bytes.length % 8);
  for (let at = 0; at < whole; at += 8) {
    mix(v, view.getUint32(at, true), view.getUint32(at + 4, true));
  }
  const last = new Uint8Array(8);
  last.set(bytes.subarray(whole));
  last[7] = bytes.length & 0xff;
  const end = new DataView(last.buffer);
  mix(v, end.getUint32(0, true), end.getUint32(4, true));
  v[4] ^= 0xff;
  for (let i = 0; i < 4; i++) round(v);
  const low = v[0] ^ v[2] ^ v[4] ^ v[6];
  const high = v[1] ^ v[3] ^ v[5] ^ v[7];
  return hex(high) + hex(low);
}

function mix(v, low, high) {
  v[6] ^= low;
  v[7] ^= high;
  round(v);
  round(v);
  v[0] ^= low;
  v[1] ^= high;
}

function round(v) {
  add(v, 0, 2); rotate(v, 2, 13); xor(v, 2, 0); rotate(v, 0, 32);
  add(v, 4, 6); rotate(v, 6, 16); xor(v, 6, 4);
  add(v, 0, 6); rotate(v, 6, 21); xor(v, 6, 0);
  add(v, 4, 2); rotate(v, 2, 17); xor(v, 2, 4); rotate(v, 4, 32);
}

function add(v, a, b) {
  const low = v[a] + v[b]; // exact: below 2^33
  v[a] = low;
  v[a + 1] += v[b + 1] + (low > 0xffffffff ? 1 : 0);
}

function xor(v, a, b) {
  v[a] ^= v[b];
  v[a + 1] ^= v[b + 1];
}

function rotate(v, a, by) {
  const low = v[a], high = v[a + 1];
  if (by === 32) {
    v[a] = high;
    v[a + 1] = low;
    return;
  }
  v[a] = (low << by) | (high >>> (32 - by));
  v[a + 1] = (high << by) | (low >>> (32 - by));
}

const hex = (word) => (word >>> 0).toString(16).padStart(8, "0");

// auth is what a hello proves a shared key with: the hash over uid, channel and key, with nothing between them.
export function auth(uid, channel, key) {
  return siphash(new TextEncoder().encode(uid + channel + key));
}

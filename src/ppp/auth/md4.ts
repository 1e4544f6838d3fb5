/**
 * MD4 (RFC 1320), which OpenSSL 3 refuses without its legacy provider and MS-CHAP cannot do without (docs/decisions/0005).
 * For `mschap-hashes.ts` only: it is no hash for anything new.
 */

const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

interface Round {
  readonly mix: (x: number, y: number, z: number) => number
  readonly constant: number
  readonly order: readonly number[]
  readonly shifts: readonly [number, number, number, number]
}

/** RFC 1320 §3.4. */
const ROUNDS: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
]

export function md4(message: Uint8Array): Uint8Array {
  const view = new DataView(padded(message).buffer)
  let state: readonly [number, number, number, number] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let at = 0; at < view.byteLength; at += BLOCK_BYTES) {
    let [a, b, c, d] = state
    for (const { mix, constant, order, shifts } of ROUNDS) {
      order.forEach((word, step) => {
        const sum = (a + mix(b, c, d) + view.getUint32(at + word * 4, true) + constant) | 0
        const shift = shifts[step % 4]!
        const rotated = (sum << shift) | (sum >>> (32 - shift))
        ;[a, b, c, d] = [d, rotated, b, c]
      })
    }
    state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0]
  }
  const digest = new DataView(new ArrayBuffer(16))
  state.forEach((word, index) => {
    digest.setUint32(index * 4, word, true)
  })
  return new Uint8Array(digest.buffer)
}

/** One bit, zeros, and the length in bits, little-endian (§3.1, §3.2). */
function padded(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES)
  const bytes = new Uint8Array(blocks * BLOCK_BYTES)
  bytes.set(message)
  bytes[message.length] = 0x80
  new DataView(bytes.buffer).setBigUint64(bytes.length - LENGTH_BYTES, BigInt(message.length) * 8n, true)
  return bytes
}

// BLAKE3 (the specification of 9 January 2020, hash mode), so that the browser knows a file's name in the store before it sends
// a byte of it. Chunks of 1024 bytes are hashed on their own and joined in a binary tree; `stack` holds the roots of the whole
// left subtrees so far, one for each bit that is set in the number of chunks.
const kStart = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const kChunkBytes = 1024;
const kBlockBytes = 64;
const kChunkStart = 1;
const kChunkEnd = 2;
const kParent = 4;
const kRoot = 8;
/// Chunks counted in the lower word; more would be 4 TiB.
const kChunksMax = 2 ** 32;

const rotate = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/// Mixes one block of 16 words into the chaining value `cv`; the first 8 words of the result replace it.
function compress(cv: Int32Array, words: Int32Array, at: number, counter: number, length: number, flags: number) {
  let m0 = words[at]!, m1 = words[at + 1]!, m2 = words[at + 2]!, m3 = words[at + 3]!, m4 = words[at + 4]!, m5 = words[at + 5]!, m6 = words[at + 6]!, m7 = words[at + 7]!;
  let m8 = words[at + 8]!, m9 = words[at + 9]!, ma = words[at + 10]!, mb = words[at + 11]!, mc = words[at + 12]!, md = words[at + 13]!, me = words[at + 14]!, mf = words[at + 15]!;
  let v0 = cv[0]!, v1 = cv[1]!, v2 = cv[2]!, v3 = cv[3]!, v4 = cv[4]!, v5 = cv[5]!, v6 = cv[6]!, v7 = cv[7]!;
  let v8 = kStart[0]!, v9 = kStart[1]!, va = kStart[2]!, vb = kStart[3]!, vc = counter | 0, vd = 0, ve = length, vf = flags;
  for (let round = 0; ; round++) {
    // Columns, then diagonals: each quarter in two halves, one message word each.
    v0 = (v0 + v4 + m0) | 0; vc = rotate(vc ^ v0, 16); v8 = (v8 + vc) | 0; v4 = rotate(v4 ^ v8, 12); v0 = (v0 + v4 + m1) | 0; vc = rotate(vc ^ v0, 8); v8 = (v8 + vc) | 0; v4 = rotate(v4 ^ v8, 7);
    v1 = (v1 + v5 + m2) | 0; vd = rotate(vd ^ v1, 16); v9 = (v9 + vd) | 0; v5 = rotate(v5 ^ v9, 12); v1 = (v1 + v5 + m3) | 0; vd = rotate(vd ^ v1, 8); v9 = (v9 + vd) | 0; v5 = rotate(v5 ^ v9, 7);
    v2 = (v2 + v6 + m4) | 0; ve = rotate(ve ^ v2, 16); va = (va + ve) | 0; v6 = rotate(v6 ^ va, 12); v2 = (v2 + v6 + m5) | 0; ve = rotate(ve ^ v2, 8); va = (va + ve) | 0; v6 = rotate(v6 ^ va, 7);
    v3 = (v3 + v7 + m6) | 0; vf = rotate(vf ^ v3, 16); vb = (vb + vf) | 0; v7 = rotate(v7 ^ vb, 12); v3 = (v3 + v7 + m7) | 0; vf = rotate(vf ^ v3, 8); vb = (vb + vf) | 0; v7 = rotate(v7 ^ vb, 7);
    v0 = (v0 + v5 + m8) | 0; vf = rotate(vf ^ v0, 16); va = (va + vf) | 0; v5 = rotate(v5 ^ va, 12); v0 = (v0 + v5 + m9) | 0; vf = rotate(vf ^ v0, 8); va = (va + vf) | 0; v5 = rotate(v5 ^ va, 7);
    v1 = (v1 + v6 + ma) | 0; vc = rotate(vc ^ v1, 16); vb = (vb + vc) | 0; v6 = rotate(v6 ^ vb, 12); v1 = (v1 + v6 + mb) | 0; vc = rotate(vc ^ v1, 8); vb = (vb + vc) | 0; v6 = rotate(v6 ^ vb, 7);
    v2 = (v2 + v7 + mc) | 0; vd = rotate(vd ^ v2, 16); v8 = (v8 + vd) | 0; v7 = rotate(v7 ^ v8, 12); v2 = (v2 + v7 + md) | 0; vd = rotate(vd ^ v2, 8); v8 = (v8 + vd) | 0; v7 = rotate(v7 ^ v8, 7);
    v3 = (v3 + v4 + me) | 0; ve = rotate(ve ^ v3, 16); v9 = (v9 + ve) | 0; v4 = rotate(v4 ^ v9, 12); v3 = (v3 + v4 + mf) | 0; ve = rotate(ve ^ v3, 8); v9 = (v9 + ve) | 0; v4 = rotate(v4 ^ v9, 7);
    if (round === 6) break;
    const o0 = m0, o1 = m1, o2 = m2, o3 = m3, o4 = m4, o5 = m5, o6 = m6, o7 = m7, o8 = m8, o9 = m9, oa = ma, ob = mb, oc = mc, od = md, oe = me, of = mf;
    m0 = o2; m1 = o6; m2 = o3; m3 = oa; m4 = o7; m5 = o0; m6 = o4; m7 = od; m8 = o1; m9 = ob; ma = oc; mb = o5; mc = o9; md = oe; me = of; mf = o8;
  }
  cv[0] = v0 ^ v8; cv[1] = v1 ^ v9; cv[2] = v2 ^ va; cv[3] = v3 ^ vb; cv[4] = v4 ^ vc; cv[5] = v5 ^ vd; cv[6] = v6 ^ ve; cv[7] = v7 ^ vf;
}

/// A hash that takes its bytes piece by piece: `new Blake3().update(a).update(b).hex()`. hex() ends it.
export class Blake3 {
  private readonly stack: Int32Array[] = [];
  private chunks = 0;
  private readonly chunk = new Uint8Array(kChunkBytes);
  private readonly words = new Int32Array(this.chunk.buffer);
  private filled = 0;

  update(bytes: Uint8Array): this {
    for (let from = 0; from < bytes.length;) {
      // The last chunk is kept back: only the end knows whether it is the root.
      if (this.filled === kChunkBytes) this.take_chunk();
      const length = Math.min(kChunkBytes - this.filled, bytes.length - from);
      this.chunk.set(bytes.subarray(from, from + length), this.filled);
      this.filled += length;
      from += length;
    }
    return this;
  }

  hex(): string {
    let cv = this.chunk_value(this.stack.length === 0 ? kRoot : 0);
    for (let i = this.stack.length - 1; i >= 0; i--) cv = parent(this.stack[i]!, cv, i === 0 ? kRoot : 0);
    return Array.from(new Uint8Array(cv.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  private chunk_value(root: number): Int32Array {
    const cv = kStart.slice();
    const blocks = Math.max(1, Math.ceil(this.filled / kBlockBytes));
    this.chunk.fill(0, this.filled, blocks * kBlockBytes);
    for (let i = 0; i < blocks; i++) {
      const is_last = i === blocks - 1;
      const flags = (i === 0 ? kChunkStart : 0) | (is_last ? kChunkEnd | root : 0);
      compress(cv, this.words, i * 16, this.chunks, is_last ? this.filled - i * kBlockBytes : kBlockBytes, flags);
    }
    return cv;
  }

  private take_chunk() {
    if (this.chunks >= kChunksMax) throw new Error("a file of more than 4 TiB cannot be hashed here");
    let cv = this.chunk_value(0);
    this.chunks++;
    // As many subtrees are whole now as the number of chunks has zeros at its end.
    for (let total = this.chunks; total % 2 === 0; total /= 2) cv = parent(this.stack.pop()!, cv, 0);
    this.stack.push(cv);
    this.filled = 0;
  }
}

const both = new Int32Array(16);
function parent(left: Int32Array, right: Int32Array, root: number): Int32Array {
  both.set(left, 0);
  both.set(right, 8);
  const cv = kStart.slice();
  compress(cv, both, 0, 0, kBlockBytes, kParent | root);
  return cv;
}

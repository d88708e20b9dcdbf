// How large a picture is, from the first bytes of its file: before a browser takes memory for all of its pixels.

export interface Dimensions { width: number; height: number }

/// Pictures with more pixels are not shown: a browser takes four bytes for each, however small the file is.
export const kPixelsMax = 64 << 20;

const kIhdr = 0x49484452;

/// null for what is none of the known formats, or ends before it says its size.
export function dimensions_of(bytes: Uint8Array): Dimensions | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = (...head: number[]) => head.every((byte, i) => bytes[i] === byte);
  try {
    if (starts(0x89, 0x50, 0x4e, 0x47)) return view.getUint32(12) !== kIhdr ? null : { width: view.getUint32(16), height: view.getUint32(20) };
    if (starts(0xff, 0xd8)) return of_jpeg(view);
    if (starts(0x47, 0x49, 0x46)) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (starts(0x42, 0x4d)) return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
    if (starts(0x52, 0x49, 0x46, 0x46) && view.getUint32(8) === 0x57454250) return of_webp(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}

/// Segments of a marker and a length each, until the one that begins the picture.
function of_jpeg(view: DataView): Dimensions | null {
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    const is_start = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (is_start) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

function of_webp(view: DataView): Dimensions | null {
  const three = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (view.getUint32(12)) {
    case 0x56503858: return { width: three(24) + 1, height: three(27) + 1 }; // VP8X
    case 0x5650384c: { // VP8L
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    case 0x56503820: return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }; // VP8
    default: return null;
  }
}

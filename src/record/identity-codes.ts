/**
 * The shared array 0, 1, 2, … that text columns without repetition use as codes, so that generated
 * code has one path for plain and dictionary columns. Callers: builders, the frame decoder,
 * readers. Runs on: any thread (one array per thread). Invariant: nobody writes to it.
 */

let identity = fill(new Int32Array(4096));

function fill(codes: Int32Array): Int32Array {
  for (let row = 0; row < codes.length; row++) codes[row] = row;
  return codes;
}

/** An array whose element i is i, at least `rows` long; never to be written to. */
export function identityCodes(rows: number): Int32Array {
  if (rows > identity.length) {
    let length = identity.length;
    while (length < rows) length *= 2;
    identity = fill(new Int32Array(length));
  }
  return identity;
}

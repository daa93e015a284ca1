/** A matrix product for each of a number of batches. */
import { sgemm } from './sgemm'

/** As {@link sgemm}; the operands of the next batch are `stepA`, `stepB` and `stepC` floats further, 0 for the same again. */
export function sgemmBatches(
  batches: i32,
  stepA: i32,
  stepB: i32,
  stepC: i32,
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  c: usize,
  ldc: i32,
  accumulate: bool,
  scratch: usize,
): void {
  for (let i = 0; i < batches; i++) {
    sgemm(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, c, ldc, accumulate, scratch)
    a += <usize>stepA << 2
    b += <usize>stepB << 2
    c += <usize>stepC << 2
  }
}

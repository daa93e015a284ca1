/**
 * The elementwise part of one time step of an LSTM, and its gradient. Gates lie beside each other, as in the weights of
 * Keras: input, forget, candidate, output. Each of the `batch` rows has `units` of each; rows are `...Step` bytes apart.
 */
import { sigmoid, tanh } from './math'
import { loadUpTo4, storeUpTo4 } from './simd'

/** Keras's hard sigmoid: 0.2 x + 0.5, between 0 and 1. NaN stays NaN. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function recurrent(hard: bool, x: v128): v128 {
  if (!hard) return sigmoid(x)
  const line = f32x4.add(f32x4.mul(x, f32x4.splat(0.2)), f32x4.splat(0.5))
  return f32x4.min(f32x4.max(line, f32x4.splat(0)), f32x4.splat(1))
}

/** The slope of {@link recurrent} where its value is `y`. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function recurrentSlope(hard: bool, y: v128): v128 {
  const one = f32x4.splat(1)
  if (!hard) return f32x4.mul(y, f32x4.sub(one, y))
  return v128.and(f32x4.splat(0.2), v128.and(f32x4.gt(y, f32x4.splat(0)), f32x4.lt(y, one)))
}

/**
 * `gates` [batch, 4 units] holds the sums x K + h R, and then the gates. `bias` [4 units] may be 0: none.
 * c = forget cBefore + input candidate, h = output tanh(c).
 */
export function lstmGates(
  hard: bool,
  gates: usize,
  gatesStep: usize,
  bias: usize,
  cBefore: usize,
  cBeforeStep: usize,
  h: usize,
  c: usize,
  stateStep: usize,
  batch: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  for (let row = 0; row < batch; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      const p = gates + o
      let zi = loadUpTo4(p, count)
      let zf = loadUpTo4(p + gate, count)
      let zg = loadUpTo4(p + 2 * gate, count)
      let zo = loadUpTo4(p + 3 * gate, count)
      if (bias) {
        const b = bias + o
        zi = f32x4.add(zi, loadUpTo4(b, count))
        zf = f32x4.add(zf, loadUpTo4(b + gate, count))
        zg = f32x4.add(zg, loadUpTo4(b + 2 * gate, count))
        zo = f32x4.add(zo, loadUpTo4(b + 3 * gate, count))
      }
      const input = recurrent(hard, zi)
      const forget = recurrent(hard, zf)
      const candidate = tanh(zg)
      const output = recurrent(hard, zo)
      storeUpTo4(p, input, count)
      storeUpTo4(p + gate, forget, count)
      storeUpTo4(p + 2 * gate, candidate, count)
      storeUpTo4(p + 3 * gate, output, count)
      const kept = f32x4.mul(forget, loadUpTo4(cBefore + o, count))
      const cell = f32x4.add(kept, f32x4.mul(input, candidate))
      storeUpTo4(c + o, cell, count)
      storeUpTo4(h + o, f32x4.mul(output, tanh(cell)), count)
    }
    gates += gatesStep
    cBefore += cBeforeStep
    h += stateStep
    c += stateStep
  }
}

/**
 * dz [batch, 4 units], the gradient of the sums, from that of this step's state: `dState` (h, then c), plus what comes from
 * the step after, `dh` and `dc` [batch, units]. `dc` then holds what goes to the step before.
 */
export function lstmGatesGradient(
  hard: bool,
  gates: usize,
  dz: usize,
  gatesStep: usize,
  cBefore: usize,
  cBeforeStep: usize,
  c: usize,
  dState: usize,
  stateStep: usize,
  dh: usize,
  dc: usize,
  batch: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  const one = f32x4.splat(1)
  for (let row = 0; row < batch; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      const p = gates + o
      const input = loadUpTo4(p, count)
      const forget = loadUpTo4(p + gate, count)
      const candidate = loadUpTo4(p + 2 * gate, count)
      const output = loadUpTo4(p + 3 * gate, count)
      const cell = tanh(loadUpTo4(c + o, count))
      const dhAll = f32x4.add(loadUpTo4(dh + o, count), loadUpTo4(dState + o, count))
      const dcAbove = f32x4.add(loadUpTo4(dc + o, count), loadUpTo4(dState + gate + o, count))
      const through = f32x4.mul(f32x4.mul(dhAll, output), f32x4.sub(one, f32x4.mul(cell, cell)))
      const dcAll = f32x4.add(dcAbove, through)
      const dInput = f32x4.mul(f32x4.mul(dcAll, candidate), recurrentSlope(hard, input))
      const dForget = f32x4.mul(
        f32x4.mul(dcAll, loadUpTo4(cBefore + o, count)),
        recurrentSlope(hard, forget),
      )
      const dCandidate = f32x4.mul(
        f32x4.mul(dcAll, input),
        f32x4.sub(one, f32x4.mul(candidate, candidate)),
      )
      const dOutput = f32x4.mul(f32x4.mul(dhAll, cell), recurrentSlope(hard, output))
      const q = dz + o
      storeUpTo4(q, dInput, count)
      storeUpTo4(q + gate, dForget, count)
      storeUpTo4(q + 2 * gate, dCandidate, count)
      storeUpTo4(q + 3 * gate, dOutput, count)
      storeUpTo4(dc + o, f32x4.mul(dcAll, forget), count)
    }
    gates += gatesStep
    dz += gatesStep
    cBefore += cBeforeStep
    c += stateStep
    dState += stateStep
    dh += gate
    dc += gate
  }
}

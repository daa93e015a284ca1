/**
 * All time steps of a GRU for some rows of the batch, which do not depend on each other. Gates lie beside each other, as in the
 * weights of Keras: update, reset, candidate. Steps of rows are in floats.
 */
import { activate, slope } from './recurrent-activation'
import { sgemm, sgemmScratch } from './sgemm'
import { loadUpTo4, storeUpTo4 } from './simd'

/** z and r from their sums, in place, and r h. `bias` may be 0: none. */
function updateAndReset(
  code: i32,
  gates: usize,
  gatesStep: i32,
  bias: usize,
  h: usize,
  hStep: i32,
  reset: usize,
  resetStep: i32,
  rows: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      let z = loadUpTo4(gates + o, count)
      let r = loadUpTo4(gates + gate + o, count)
      if (bias) {
        z = f32x4.add(z, loadUpTo4(bias + o, count))
        r = f32x4.add(r, loadUpTo4(bias + gate + o, count))
      }
      storeUpTo4(gates + o, activate(code, z), count)
      r = activate(code, r)
      storeUpTo4(gates + gate + o, r, count)
      storeUpTo4(reset + o, f32x4.mul(r, loadUpTo4(h + o, count)), count)
    }
    gates += <usize>gatesStep << 2
    h += <usize>hStep << 2
    reset += <usize>resetStep << 2
  }
}

/** The candidate from its sum, in place, and the new state z h + (1 - z) candidate. */
function candidateAndState(
  code: i32,
  gates: usize,
  gatesStep: i32,
  bias: usize,
  h: usize,
  hStep: i32,
  state: usize,
  stateStep: i32,
  rows: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      const z = loadUpTo4(gates + o, count)
      let candidate = loadUpTo4(gates + 2 * gate + o, count)
      if (bias) candidate = f32x4.add(candidate, loadUpTo4(bias + 2 * gate + o, count))
      candidate = activate(code, candidate)
      storeUpTo4(gates + 2 * gate + o, candidate, count)
      const rest = f32x4.mul(f32x4.sub(f32x4.splat(1), z), candidate)
      storeUpTo4(state + o, f32x4.add(f32x4.mul(z, loadUpTo4(h + o, count)), rest), count)
    }
    gates += <usize>gatesStep << 2
    h += <usize>hStep << 2
    state += <usize>stateStep << 2
  }
}

/**
 * `gates` [rows, time, 3 units] holds the sums x K, and then the gates; `states` and `reset` [rows, time, units] get the states and
 * r h. `h` [rows, units] is the state before the first step. `recurrent` is [units, 3 units]; `bias` may be 0: none.
 */
export function gruSteps(
  recurrentActivation: i32,
  activation: i32,
  gates: usize,
  states: usize,
  reset: usize,
  h: usize,
  recurrent: usize,
  bias: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const step = time * units
  const width = 3 * units
  const gate = <usize>units << 2
  let hStep = units
  for (let t = 0; t < time; t++) {
    sgemm(false, false, rows, 2 * units, units, 1, h, hStep, recurrent, width, gates, 3 * step, true, scratch)
    updateAndReset(recurrentActivation, gates, 3 * step, bias, h, hStep, reset, step, rows, units)
    const sums = gates + 2 * gate
    sgemm(false, false, rows, units, units, 1, reset, step, recurrent + 2 * gate, width, sums, 3 * step, true, scratch)
    candidateAndState(activation, gates, 3 * step, bias, h, hStep, states, step, rows, units)
    h = states
    hStep = step
    gates += 3 * gate
    states += gate
    reset += gate
  }
}

/** Of the sums of z and of the candidate, and z (dh + dState) for the step before, in place of `dh`. */
function updateGradient(
  recurrentActivation: i32,
  activation: i32,
  gates: usize,
  dz: usize,
  gatesStep: i32,
  h: usize,
  hStep: i32,
  dState: usize,
  stateStep: i32,
  dh: usize,
  rows: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  const one = f32x4.splat(1)
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      const z = loadUpTo4(gates + o, count)
      const candidate = loadUpTo4(gates + 2 * gate + o, count)
      const d = f32x4.add(loadUpTo4(dh + o, count), loadUpTo4(dState + o, count))
      const difference = f32x4.sub(loadUpTo4(h + o, count), candidate)
      storeUpTo4(dz + o, f32x4.mul(f32x4.mul(d, difference), slope(recurrentActivation, z)), count)
      const dCandidate = f32x4.mul(f32x4.mul(d, f32x4.sub(one, z)), slope(activation, candidate))
      storeUpTo4(dz + 2 * gate + o, dCandidate, count)
      storeUpTo4(dh + o, f32x4.mul(d, z), count)
    }
    gates += <usize>gatesStep << 2
    dz += <usize>gatesStep << 2
    h += <usize>hStep << 2
    dState += <usize>stateStep << 2
    dh += gate
  }
}

/** Of the sum of r, and what `dReset`, the gradient of r h, sends to the step before. */
function resetGradient(
  code: i32,
  gates: usize,
  dz: usize,
  gatesStep: i32,
  h: usize,
  hStep: i32,
  dReset: usize,
  dh: usize,
  rows: i32,
  units: i32,
): void {
  const gate = <usize>units << 2
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < units; j += 4) {
      const o = <usize>j << 2
      const count = min(units - j, 4)
      const r = loadUpTo4(gates + gate + o, count)
      const d = loadUpTo4(dReset + o, count)
      storeUpTo4(dz + gate + o, f32x4.mul(f32x4.mul(d, loadUpTo4(h + o, count)), slope(code, r)), count)
      storeUpTo4(dh + o, f32x4.add(loadUpTo4(dh + o, count), f32x4.mul(d, r)), count)
    }
    gates += <usize>gatesStep << 2
    dz += <usize>gatesStep << 2
    h += <usize>hStep << 2
    dReset += gate
    dh += gate
  }
}

/** Bytes that {@link gruStepsGradient} needs at `scratch`. */
export function gruGradientScratch(rows: i32, units: i32): i32 {
  return ((rows * units) << 2) + sgemmScratch(rows, units, 2 * units)
}

/**
 * Backwards through the steps: `dz` [rows, time, 3 units], the gradient of the sums, from that of the states, `dStates` [rows, time,
 * units]. `dh` [rows, units] ends as the gradient of `h`, the state before the first step.
 */
export function gruStepsGradient(
  recurrentActivation: i32,
  activation: i32,
  gates: usize,
  dz: usize,
  states: usize,
  h: usize,
  dStates: usize,
  dh: usize,
  recurrent: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const step = time * units
  const width = 3 * units
  const gate = <usize>units << 2
  const dReset = scratch
  const work = scratch + (<usize>(rows * units) << 2)
  memory.fill(dh, 0, <usize>(rows * units) << 2)
  for (let t = time - 1; t >= 0; t--) {
    const g = gates + <usize>(3 * t) * gate
    const d = dz + <usize>(3 * t) * gate
    const before = t == 0 ? h : states + <usize>(t - 1) * gate
    const beforeStep = t == 0 ? units : step
    const dState = dStates + <usize>t * gate
    updateGradient(recurrentActivation, activation, g, d, 3 * step, before, beforeStep, dState, step, dh, rows, units)
    const kernel = recurrent + 2 * gate
    sgemm(false, true, rows, units, units, 1, d + 2 * gate, 3 * step, kernel, width, dReset, units, false, work)
    resetGradient(recurrentActivation, g, d, 3 * step, before, beforeStep, dReset, dh, rows, units)
    sgemm(false, true, rows, units, 2 * units, 1, d, 3 * step, recurrent, width, dh, units, true, work)
  }
}

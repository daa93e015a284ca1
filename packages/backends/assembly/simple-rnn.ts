/** All time steps of a simple recurrent layer for some rows of the batch. Steps of rows are in floats. */
import { activate, slope } from './recurrent-activation'
import { sgemm } from './sgemm'
import { loadUpTo4, storeUpTo4 } from './simd'

/**
 * h = activation(x K + h R + bias): `states` [rows, time, units] holds the sums x K, and then the states. `h` [rows, units] is the state
 * before the first step. `recurrent` is [units, units]; `bias` may be 0: none.
 */
export function simpleRnnSteps(
  activation: i32,
  states: usize,
  h: usize,
  recurrent: usize,
  bias: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const step = time * units
  let hStep = units
  for (let t = 0; t < time; t++) {
    sgemm(false, false, rows, units, units, 1, h, hStep, recurrent, units, states, step, true, scratch)
    for (let row = 0; row < rows; row++) {
      const p = states + (<usize>(row * step) << 2)
      for (let j = 0; j < units; j += 4) {
        const o = <usize>j << 2
        const count = min(units - j, 4)
        let sum = loadUpTo4(p + o, count)
        if (bias) sum = f32x4.add(sum, loadUpTo4(bias + o, count))
        storeUpTo4(p + o, activate(activation, sum), count)
      }
    }
    h = states
    hStep = step
    states += <usize>units << 2
  }
}

/**
 * Backwards through the steps: `dz` [rows, time, units], the gradient of the sums, from that of the states. `dh` [rows, units] ends as
 * the gradient of the state before the first step.
 */
export function simpleRnnStepsGradient(
  activation: i32,
  states: usize,
  dStates: usize,
  dz: usize,
  dh: usize,
  recurrent: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const step = time * units
  memory.fill(dh, 0, <usize>(rows * units) << 2)
  for (let t = time - 1; t >= 0; t--) {
    const at = <usize>(t * units) << 2
    for (let row = 0; row < rows; row++) {
      const p = at + (<usize>(row * step) << 2)
      const above = dh + (<usize>(row * units) << 2)
      for (let j = 0; j < units; j += 4) {
        const o = <usize>j << 2
        const count = min(units - j, 4)
        const d = f32x4.add(loadUpTo4(above + o, count), loadUpTo4(dStates + p + o, count))
        storeUpTo4(dz + p + o, f32x4.mul(d, slope(activation, loadUpTo4(states + p + o, count))), count)
      }
    }
    sgemm(false, true, rows, units, units, 1, dz + at, step, recurrent, units, dh, units, false, scratch)
  }
}

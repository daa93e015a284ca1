/** All time steps of an LSTM for some rows of the batch, which do not depend on each other. Steps of rows are in floats. */
import { lstmGates, lstmGatesGradient } from './lstm'
import { sgemm } from './sgemm'

/**
 * `gates` [rows, time, 4 units] holds the sums x K, and then the gates; `states` [rows, time, 2 units] gets hidden and cell
 * states. `h` and `c` [rows, units] are those before the first step. `recurrent` is [units, 4 units]; `bias` may be 0: none.
 */
export function lstmSteps(
  hard: bool,
  gates: usize,
  states: usize,
  h: usize,
  c: usize,
  recurrent: usize,
  bias: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const gatesStep = 4 * time * units
  const statesStep = 2 * time * units
  let step = units
  for (let t = 0; t < time; t++) {
    sgemm(false, false, rows, 4 * units, units, 1, h, step, recurrent, 4 * units, gates, gatesStep, true, scratch)
    const cell = states + (<usize>units << 2)
    lstmGates(hard, gates, <usize>gatesStep << 2, bias, c, <usize>step << 2, states, cell, <usize>statesStep << 2, rows, units)
    h = states
    c = cell
    step = statesStep
    gates += <usize>units << 4
    states += <usize>units << 3
  }
}

/**
 * Backwards through the steps: `dz` [rows, time, 4 units] from the gradient of the states, `dStates` [rows, time, 2 units]. `dh` and
 * `dc` [rows, units] begin as zeros and end as the gradients of the states before the first step.
 */
export function lstmStepsGradient(
  hard: bool,
  gates: usize,
  dz: usize,
  states: usize,
  c: usize,
  dStates: usize,
  dh: usize,
  dc: usize,
  recurrent: usize,
  rows: i32,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const gatesStep = 4 * time * units
  const statesStep = 2 * time * units
  memory.fill(dh, 0, <usize>(rows * units) << 2)
  memory.fill(dc, 0, <usize>(rows * units) << 2)
  for (let t = time - 1; t >= 0; t--) {
    const sums = <usize>(4 * t * units) << 2
    const state = <usize>(2 * t * units) << 2
    const cell = states + state + (<usize>units << 2)
    const cBefore = t == 0 ? c : cell - (<usize>units << 3)
    const step = t == 0 ? units : statesStep
    lstmGatesGradient(
      hard,
      gates + sums,
      dz + sums,
      <usize>gatesStep << 2,
      cBefore,
      <usize>step << 2,
      cell,
      dStates + state,
      <usize>statesStep << 2,
      dh,
      dc,
      rows,
      units,
    )
    sgemm(false, true, rows, units, 4 * units, 1, dz + sums, gatesStep, recurrent, 4 * units, dh, units, false, scratch)
  }
}

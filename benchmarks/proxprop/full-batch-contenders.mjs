/** Who takes part in full-batch.mjs, each with a grid of 48 settings. */

const rates = [0.3, 0.7, 1.5, 3, 7, 15, 30, 70, 150, 300, 1000, 3000]
/** Above about 100, rounding hides the ridge 1 / tau of the first layer: a larger tau is the same. */
const taus = [0.01, 0.1, 1, 100]

/**
 * `grid` has the values of each hyperparameter; `layers` makes of a setting the optimizer's learning rate and the options
 * of the proximal layers; `baseline` names whose loss is to be reached.
 *
 * The loss is a mean over the batch, so a proximal layer at rate n moves each example's pre-activation by its own
 * gradient: rates of proximal layers are near the number of examples, those of explicit ones are not.
 */
export const contendersFor = (examples) => [
  {
    name: 'gradient descent',
    // a factor of 1.12 between neighbours
    grid: { learningRate: Array.from({ length: 48 }, (_, i) => Number((0.02 * 1.12 ** i).toPrecision(3))) },
    layers: ({ learningRate }) => ({ learningRate }),
  },
  {
    name: 'gradient descent, output layer with a rate of its own',
    grid: {
      outputRate: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      hiddenRate: [0.01, 0.03, 0.1, 0.3, 1, 3],
    },
    layers: ({ outputRate, hiddenRate }) => ({
      learningRate: outputRate,
      hidden: { solver: 'gradient', rate: hiddenRate / outputRate },
    }),
  },
  {
    name: 'ProxProp, output layer explicit',
    baseline: 'gradient descent',
    grid: { learningRate: rates, tau: taus },
    layers: ({ learningRate, tau }) => ({ learningRate, hidden: { tau } }),
  },
  {
    name: 'ProxProp, output layer explicit with a rate of its own',
    baseline: 'gradient descent, output layer with a rate of its own',
    grid: {
      outputRate: [0.01, 0.07, 0.5, 3.5],
      hiddenRate: [examples, 4 * examples, 16 * examples, 64 * examples],
      tau: [0.001, 0.1, 100],
    },
    layers: ({ outputRate, hiddenRate, tau }) => ({
      learningRate: outputRate,
      hidden: { tau, rate: hiddenRate / outputRate },
    }),
  },
  {
    name: 'ProxProp, every layer proximal',
    baseline: 'gradient descent',
    grid: { learningRate: rates.map((rate) => (rate / 100) * examples), tau: taus },
    layers: ({ learningRate, tau }) => ({ learningRate, hidden: { tau }, output: { tau } }),
  },
]

/** Every combination of the values of a grid. */
export const settingsOf = (grid) =>
  Object.entries(grid).reduce(
    (settings, [key, values]) =>
      settings.flatMap((setting) => values.map((value) => ({ ...setting, [key]: value }))),
    [{}],
  )

/** The hyperparameters whose value is the smallest or largest that was tried. */
export const atEdge = (grid, setting) =>
  Object.keys(grid).filter((key) => [grid[key][0], grid[key].at(-1)].includes(setting[key]))

/** Shapes that the training kernels are held to: odd sizes, length 1, every stride, dilation and padding. */

type Pad =
  | 'same'
  | 'valid'
  | number
  | [[number, number], [number, number], [number, number], [number, number]]

export interface ConvCase {
  /** [batch, height, width, channels] */
  x: [number, number, number, number]
  /** [height, width] */
  kernel: [number, number]
  /** Output channels, or the channel multiplier of a depthwise convolution. */
  outputs: number
  strides: [number, number]
  dilations: [number, number]
  pad: Pad
}

const uneven: Pad = [
  [0, 0],
  [2, 1],
  [0, 3],
  [0, 0],
]

const shapes: Pick<ConvCase, 'x' | 'kernel' | 'outputs'>[] = [
  { x: [2, 7, 6, 3], kernel: [3, 3], outputs: 4 },
  { x: [1, 5, 9, 1], kernel: [1, 1], outputs: 1 },
  { x: [3, 8, 8, 2], kernel: [2, 4], outputs: 3 },
  { x: [1, 1, 11, 4], kernel: [1, 5], outputs: 2 },
]
const strideTable: [number, number][] = [
  [1, 1],
  [2, 2],
  [3, 1],
]
const padTable: Pad[] = ['same', 'valid', 1, uneven]

const square = ({ kernel, strides, dilations }: ConvCase) =>
  [kernel, strides, dilations].every(([height, width]) => height === width)

/** tfjs sizes a numerically padded output by the height's kernel and stride in both directions, so only squares there. */
export const convCases: ConvCase[] = shapes
  .flatMap((shape) =>
    padTable.flatMap((pad) => [
      ...strideTable.map((strides): ConvCase => ({ ...shape, strides, dilations: [1, 1], pad })),
      { ...shape, strides: [1, 1], dilations: [2, 1], pad } as ConvCase,
    ]),
  )
  .filter((c) => typeof c.pad !== 'number' || square(c))
  .filter(({ x, kernel, dilations }) => x[1] > (kernel[0] - 1) * dilations[0])

export const describeConvCase = ({ x, kernel, outputs, strides, dilations, pad }: ConvCase) =>
  `x [${x}], kernel [${kernel}] -> ${outputs}, strides [${strides}], dilations [${dilations}], pad ${JSON.stringify(pad)}`

/** Equations with the shapes of their inputs: all that `tf.einsum` accepts. */
export const einsumCases: { equation: string; shapes: number[][] }[] = [
  { equation: 'ij->', shapes: [[3, 4]] },
  { equation: 'ij->i', shapes: [[3, 4]] },
  { equation: 'ij->ji', shapes: [[3, 4]] },
  { equation: 'ijk->ki', shapes: [[2, 3, 4]] },
  { equation: 'ij->ij', shapes: [[3, 1]] },
  { equation: 'i,i->', shapes: [[5], [5]] },
  { equation: 'i,j->ij', shapes: [[3], [4]] },
  { equation: 'i,j->ji', shapes: [[3], [1]] },
  {
    equation: 'ij,jk->ik',
    shapes: [
      [3, 4],
      [4, 5],
    ],
  },
  {
    equation: 'ij,kj->ki',
    shapes: [
      [3, 4],
      [5, 4],
    ],
  },
  {
    equation: 'bi,bi->b',
    shapes: [
      [3, 4],
      [3, 4],
    ],
  },
  {
    equation: 'bij,bjk->bik',
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
  },
  {
    equation: 'b h q d, b h k d -> b h q k',
    shapes: [
      [2, 3, 4, 5],
      [2, 3, 6, 5],
    ],
  },
  {
    equation: 'bhqk,bhkd->bqhd',
    shapes: [
      [2, 2, 3, 4],
      [2, 2, 4, 5],
    ],
  },
  {
    equation: 'bqhd,hde->bqe',
    shapes: [
      [2, 3, 2, 4],
      [2, 4, 5],
    ],
  },
  {
    equation: 'ij,ij->ij',
    shapes: [
      [3, 4],
      [3, 4],
    ],
  },
  {
    equation: 'ij,kl->',
    shapes: [
      [3, 4],
      [2, 5],
    ],
  },
  {
    equation: 'ijk,jl->li',
    shapes: [
      [2, 3, 4],
      [3, 5],
    ],
  },
  {
    equation: 'ijk,il->l',
    shapes: [
      [2, 3, 4],
      [2, 5],
    ],
  },
  {
    equation: 'abc,cbd->da',
    shapes: [
      [2, 3, 4],
      [4, 3, 2],
    ],
  },
  { equation: ',i->i', shapes: [[], [3]] },
  { equation: 'ij,->', shapes: [[2, 3], []] },
]

/**
 * The published parameters of the fifteen corruptions, by severity 1 to 5.
 *
 * Hendrycks, Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019,
 * arXiv 1903.12261, and the authors' hendrycks/robustness: `imagenet` of make_imagenet_c.py (224 pixels), `cifar` of
 * make_cifar_c.py (32 pixels). Lengths are in pixels of those sizes.
 */

/** Five severities of what a corruption is made of. */
type Severities<T> = readonly [T, T, T, T, T]

export interface CorruptionParameters {
  /** Side of the images that the lengths are meant for. */
  size: number
  /** Standard deviation. */
  gaussianNoise: Severities<number>
  /** Photons of a white pixel. */
  shotNoise: Severities<number>
  /** Part of all values. */
  impulseNoise: Severities<number>
  /** Radius, and sigma of the smoothing of its edge. */
  defocusBlur: Severities<readonly [radius: number, alias: number]>
  glassBlur: Severities<readonly [sigma: number, distance: number, iterations: number]>
  motionBlur: Severities<readonly [radius: number, sigma: number]>
  /** Largest zoom (exclusive) and step, from 1. */
  zoomBlur: Severities<readonly [end: number, step: number]>
  snow: Severities<
    readonly [
      mean: number,
      std: number,
      zoom: number,
      least: number,
      radius: number,
      sigma: number,
      blend: number,
    ]
  >
  /** Weights of image and frost. */
  frost: Severities<readonly [image: number, frost: number]>
  /** Amount, and decay of roughness from scale to scale. */
  fog: Severities<readonly [amount: number, decay: number]>
  brightness: Severities<number>
  contrast: Severities<number>
  /** Displacement, its smoothness, and the corners' displacement. */
  elastic: Severities<readonly [alpha: number, sigma: number, affine: number]>
  /** Part of the resolution that is left. */
  pixelate: Severities<number>
  /** Quality, 1 to 100. */
  jpeg: Severities<number>
}

/** The names of the fifteen corruptions, in the paper's order. */
export type CorruptionKind = Exclude<keyof CorruptionParameters, 'size'>

export const imagenet: CorruptionParameters = {
  size: 224,
  gaussianNoise: [0.08, 0.12, 0.18, 0.26, 0.38],
  shotNoise: [60, 25, 12, 5, 3],
  impulseNoise: [0.03, 0.06, 0.09, 0.17, 0.27],
  defocusBlur: [
    [3, 0.1],
    [4, 0.5],
    [6, 0.5],
    [8, 0.5],
    [10, 0.5],
  ],
  glassBlur: [
    [0.7, 1, 2],
    [0.9, 2, 1],
    [1, 2, 3],
    [1.1, 3, 2],
    [1.5, 4, 2],
  ],
  motionBlur: [
    [10, 3],
    [15, 5],
    [15, 8],
    [15, 12],
    [20, 15],
  ],
  zoomBlur: [
    [1.11, 0.01],
    [1.16, 0.01],
    [1.21, 0.02],
    [1.26, 0.02],
    [1.31, 0.03],
  ],
  snow: [
    [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
    [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
    [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
    [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
    [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
  ],
  frost: [
    [1, 0.4],
    [0.8, 0.6],
    [0.7, 0.7],
    [0.65, 0.7],
    [0.6, 0.75],
  ],
  fog: [
    [1.5, 2],
    [2, 2],
    [2.5, 1.7],
    [2.5, 1.5],
    [3, 1.4],
  ],
  brightness: [0.1, 0.2, 0.3, 0.4, 0.5],
  contrast: [0.4, 0.3, 0.2, 0.1, 0.05],
  // 244, not 224, in the authors' code.
  elastic: [
    [244 * 2, 244 * 0.7, 244 * 0.1],
    [244 * 2, 244 * 0.08, 244 * 0.2],
    [244 * 0.05, 244 * 0.01, 244 * 0.02],
    [244 * 0.07, 244 * 0.01, 244 * 0.02],
    [244 * 0.12, 244 * 0.01, 244 * 0.02],
  ],
  pixelate: [0.6, 0.5, 0.4, 0.3, 0.25],
  jpeg: [25, 18, 15, 10, 7],
}

export const cifar: CorruptionParameters = {
  size: 32,
  gaussianNoise: [0.04, 0.06, 0.08, 0.09, 0.1],
  shotNoise: [500, 250, 100, 75, 50],
  impulseNoise: [0.01, 0.02, 0.03, 0.05, 0.07],
  defocusBlur: [
    [0.3, 0.4],
    [0.4, 0.5],
    [0.5, 0.6],
    [1, 0.2],
    [1.5, 0.1],
  ],
  glassBlur: [
    [0.05, 1, 1],
    [0.25, 1, 1],
    [0.4, 1, 1],
    [0.25, 1, 2],
    [0.4, 1, 2],
  ],
  motionBlur: [
    [6, 1],
    [6, 1.5],
    [6, 2],
    [8, 2],
    [9, 2.5],
  ],
  zoomBlur: [
    [1.06, 0.01],
    [1.11, 0.01],
    [1.16, 0.01],
    [1.21, 0.01],
    [1.26, 0.01],
  ],
  snow: [
    [0.1, 0.2, 1, 0.6, 8, 3, 0.95],
    [0.1, 0.2, 1, 0.5, 10, 4, 0.9],
    [0.15, 0.3, 1.75, 0.55, 10, 4, 0.9],
    [0.25, 0.3, 2.25, 0.6, 12, 6, 0.85],
    [0.3, 0.3, 1.25, 0.65, 14, 12, 0.8],
  ],
  frost: [
    [1, 0.2],
    [1, 0.3],
    [0.9, 0.4],
    [0.85, 0.4],
    [0.75, 0.45],
  ],
  fog: [
    [0.2, 3],
    [0.5, 3],
    [0.75, 2.5],
    [1, 2],
    [1.5, 1.75],
  ],
  brightness: [0.05, 0.1, 0.15, 0.2, 0.3],
  contrast: [0.75, 0.5, 0.4, 0.3, 0.15],
  elastic: [
    [0, 0, 32 * 0.08],
    [32 * 0.05, 32 * 0.2, 32 * 0.07],
    [32 * 0.08, 32 * 0.06, 32 * 0.06],
    [32 * 0.1, 32 * 0.04, 32 * 0.05],
    [32 * 0.1, 32 * 0.03, 32 * 0.03],
  ],
  pixelate: [0.95, 0.9, 0.85, 0.75, 0.65],
  jpeg: [80, 65, 58, 50, 40],
}

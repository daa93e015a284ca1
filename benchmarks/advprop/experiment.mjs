/** What training and evaluation of the robustness experiment agree on. */

/**
 * L-infinity budget of the training attack and of the PGD-20 that measures, as a part of the pixel range. Digits are black
 * and white, so that a change that fools a classifier of digits is larger.
 */
export const budgets = { 'fashion-mnist': 8 / 255, mnist: 25 / 255 }

/** Batches of 64 images that a model is trained on. Digits are easier. */
export const steps = { 'fashion-mnist': 2000, mnist: 1000 }

/** Where a trained model's weights lie; not committed. */
export const weightsFile = (data, method, seed) =>
  new URL(`../results/advprop/${data}-${method}-${seed}.json`, import.meta.url)

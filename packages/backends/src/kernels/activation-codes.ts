/** Codes in `assembly/activation.ts`, by tfjs's names of the activations that it fuses. */
export const activationCodes: Readonly<Record<string, number>> = {
  linear: 0,
  relu: 1,
  relu6: 2,
  prelu: 3,
  leakyrelu: 4,
  sigmoid: 5,
  elu: 6,
}

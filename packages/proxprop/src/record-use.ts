/**
 * Puts one proximal step per layer and backward pass in the place of the weights' ordinary gradient.
 *
 * A layer computes z = map(x, W) with weights that are detached from tfjs's tape: tfjs then differentiates the map
 * with regard to x only, with the old weights, as ProxProp asks. What is left is the gradient of the weights. Each
 * use of the layer is tied to one node per backward pass, which tfjs reaches after all uses: it is handed every
 * (x, dL/dz) and returns the proximal step. So a layer that is used twice solves one joint problem over the rows of
 * both uses (the sum of two separate steps need not be a descent direction), a frozen layer solves none, and the
 * product A'G of plain backpropagation is never formed when a solver does not need it.
 */
import * as tf from '@tensorflow/tfjs-core'

/** One use of a layer in a forward pass: its input x and the gradient dL/dz of its linear output. */
export interface LinearUse {
  x: tf.Tensor
  dz: tf.Tensor
}

/** The weights' node of one layer on one tape. */
interface Anchor {
  node: tf.Tensor
  uses: LinearUse[]
}

const anchorsOfTape = new WeakMap<object, WeakMap<object, Anchor>>()

/** Whether a forward pass is being recorded. The tape outlives it, through the backward pass; the depth does not. */
export const isRecording = (): boolean => tf.engine().state.gradientDepth > 0

/** The same values as `x`, unknown to the tape. */
export function detach(x: tf.Tensor): tf.Tensor {
  const { kernelFunc } = tf.getKernel('Identity', tf.getBackend())!
  const copy = kernelFunc({ inputs: { x }, backend: tf.engine().backend, attrs: {} }) as tf.TensorInfo
  return tf.engine().makeTensorFromTensorInfo(copy)
}

/**
 * Ties one use of a layer to the gradient of its weights. Call it while a gradient is being recorded.
 *
 * @param owner The layer: one solve per owner and backward pass.
 * @param x Input of the linear map.
 * @param z Its output, computed with detached weights.
 * @param weights The variables whose gradient `solve` gives, in this order.
 * @param solve From all uses of the backward pass to what the optimizer shall see as the weights' gradients.
 * @returns z, to go on with.
 */
export function recordUse(
  owner: object,
  x: tf.Tensor,
  z: tf.Tensor,
  weights: tf.Tensor[],
  solve: (uses: LinearUse[]) => tf.Tensor[],
): tf.Tensor {
  const tape = tf.engine().state.activeTape
  const anchors = anchorsOfTape.get(tape) ?? new WeakMap<object, Anchor>()
  anchorsOfTape.set(tape, anchors)
  const { node, uses } = anchors.get(owner) ?? makeAnchor(weights, solve)
  anchors.set(owner, { node, uses })
  let dz: tf.Tensor
  // tfjs runs this only when the weights' gradient is asked for: an attack on the inputs, say, leaves no use behind.
  const use = tf.customGrad((_node, save) => {
    ;(save as tf.GradSaveFunc)([x])
    return {
      value: tf.scalar(0),
      gradFunc: (_dy, saved) => {
        uses.push({ x: saved[0]!, dz })
        return tf.scalar(0)
      },
    }
  })(node)
  return tf.customGrad((output) => ({
    value: tf.clone(output as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      dz = dy
      return [dy, tf.scalar(0)]
    },
  }))(z, use)
}

function makeAnchor(weights: tf.Tensor[], solve: (uses: LinearUse[]) => tf.Tensor[]): Anchor {
  const uses: LinearUse[] = []
  // The value of a node is never read, so it may be disposed at the end of the layer's call: only its id counts.
  const node = tf.customGrad(() => ({
    value: tf.scalar(0),
    gradFunc: () => tf.tidy(() => solve(uses.splice(0))),
  }))(...weights)
  return { node, uses }
}

/** gatherND, scatterND and tensorScatterUpdate, for which tfjs has no gradients. Indices get a zero gradient. */
import * as tf from '@tensorflow/tfjs-core'

export const gatherNdGradient: tf.GradConfig = {
  kernelName: 'GatherNd',
  inputsToSave: ['params', 'indices'],
  gradFunc: (dy, saved) => {
    const [params, indices] = saved as [tf.Tensor, tf.Tensor]
    return {
      // With one index per row tfjs's scatterND reads a rank-1 `indices` as a column, which gatherND does not.
      params: () =>
        indices.rank === 1
          ? tf.scatterND(tf.expandDims(indices), tf.expandDims(dy as tf.Tensor), params.shape)
          : tf.scatterND(indices, dy as tf.Tensor, params.shape),
      indices: () => tf.zeros(indices.shape),
    }
  },
}

const columnOfIndices = (indices: tf.Tensor) => (indices.rank === 1 ? tf.expandDims(indices, 1) : indices)

export const scatterNdGradient: tf.GradConfig = {
  kernelName: 'ScatterNd',
  inputsToSave: ['indices'],
  gradFunc: (dy, saved) => {
    const [indices] = saved as [tf.Tensor]
    return {
      updates: () => tf.gatherND(dy as tf.Tensor, columnOfIndices(indices)),
      indices: () => tf.zeros(indices.shape),
    }
  },
}

export const tensorScatterUpdateGradient: tf.GradConfig = {
  kernelName: 'TensorScatterUpdate',
  inputsToSave: ['indices', 'updates'],
  gradFunc: (dy, saved) => {
    const [indices, updates] = saved as [tf.Tensor, tf.Tensor]
    return {
      tensor: () => tf.tensorScatterUpdate(dy as tf.Tensor, indices, tf.zeros(updates.shape)),
      updates: () => tf.gatherND(dy as tf.Tensor, columnOfIndices(indices)),
      indices: () => tf.zeros(indices.shape),
    }
  },
}

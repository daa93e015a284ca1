/** Optimizer steps: one pass over a variable and its slots. New values go to new memory: tfjs's variables are swapped. */

/**
 * Adam: m' = beta1 m + (1 - beta1) g, v' = beta2 v + (1 - beta2) g^2,
 * w' = keep w - rate m' / (sqrt(v' correction2) + epsilon), where rate contains the correction of m and `keep` is
 * 1, or 1 - learningRate weightDecay for AdamW.
 */
export function adamStep(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  newW: usize,
  newM: usize,
  newV: usize,
  n: i32,
  rate: f32,
  beta1: f32,
  beta2: f32,
  correction2: f32,
  epsilon: f32,
  keep: f32,
): void {
  const rest1: f32 = 1 - beta1
  const rest2: f32 = 1 - beta2
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    const grad = v128.load(g + o)
    const first = f32x4.add(
      f32x4.mul(f32x4.splat(beta1), v128.load(m + o)),
      f32x4.mul(f32x4.splat(rest1), grad),
    )
    const second = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(v + o)),
      f32x4.mul(f32x4.splat(rest2), f32x4.mul(grad, grad)),
    )
    v128.store(newM + o, first)
    v128.store(newV + o, second)
    const size = f32x4.add(f32x4.sqrt(f32x4.mul(second, f32x4.splat(correction2))), f32x4.splat(epsilon))
    const step = f32x4.div(f32x4.mul(first, f32x4.splat(rate)), size)
    v128.store(newW + o, f32x4.sub(f32x4.mul(v128.load(w + o), f32x4.splat(keep)), step))
  }
  for (; i < n; i++) {
    const o = <usize>i << 2
    const grad = load<f32>(g + o)
    const first: f32 = beta1 * load<f32>(m + o) + rest1 * grad
    const second: f32 = beta2 * load<f32>(v + o) + rest2 * (grad * grad)
    store<f32>(newM + o, first)
    store<f32>(newV + o, second)
    const step: f32 = (first * rate) / (sqrt<f32>(second * correction2) + epsilon)
    store<f32>(newW + o, load<f32>(w + o) * keep - step)
  }
}

/**
 * Momentum: a' = momentum a + g, w' = w - learningRate a', or w - learningRate (g + momentum a') for Nesterov.
 * Both are w' = w - learningRate (fromGradient g + fromAccumulation a').
 */
export function momentumStep(
  w: usize,
  g: usize,
  a: usize,
  newW: usize,
  newA: usize,
  n: i32,
  learningRate: f32,
  momentum: f32,
  fromGradient: f32,
  fromAccumulation: f32,
): void {
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    const grad = v128.load(g + o)
    const sum = f32x4.add(f32x4.mul(f32x4.splat(momentum), v128.load(a + o)), grad)
    v128.store(newA + o, sum)
    const step = f32x4.add(
      f32x4.mul(grad, f32x4.splat(fromGradient)),
      f32x4.mul(sum, f32x4.splat(fromAccumulation)),
    )
    v128.store(newW + o, f32x4.sub(v128.load(w + o), f32x4.mul(step, f32x4.splat(learningRate))))
  }
  for (; i < n; i++) {
    const o = <usize>i << 2
    const grad = load<f32>(g + o)
    const sum: f32 = momentum * load<f32>(a + o) + grad
    store<f32>(newA + o, sum)
    const step: f32 = grad * fromGradient + sum * fromAccumulation
    store<f32>(newW + o, load<f32>(w + o) - step * learningRate)
  }
}

/** Gradient descent: w' = w - learningRate g. */
export function sgdStep(w: usize, g: usize, newW: usize, n: i32, learningRate: f32): void {
  const rate = f32x4.splat(learningRate)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2
    v128.store(newW + o, f32x4.sub(v128.load(w + o), f32x4.mul(v128.load(g + o), rate)))
  }
  for (; i < n; i++) {
    const o = <usize>i << 2
    store<f32>(newW + o, load<f32>(w + o) - load<f32>(g + o) * learningRate)
  }
}

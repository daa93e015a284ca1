/** Noise: Gaussian, shot (Poisson) and impulse (salt and pepper). */
import type { Random } from '@tfgraft/core'
import { clip01, mapValues, type Raster } from './raster'

export const gaussianNoise = (image: Raster, std: number, random: Random): Raster =>
  mapValues(image, (value) => clip01(value + random.normal(0, std)))

// Above it a Poisson number is as good as normal, and counting arrivals is slow.
const MANY = 60

/** A Poisson number: counted arrivals (Knuth) for few, a rounded normal number for many. */
export function poisson(mean: number, random: Random): number {
  if (mean > MANY) return Math.max(0, Math.round(random.normal(mean, Math.sqrt(mean))))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random.uniform(); product > limit; product *= random.uniform()) count++
  return count
}

export const shotNoise = (image: Raster, photons: number, random: Random): Raster =>
  mapValues(image, (value) => clip01(poisson(value * photons, random) / photons))

export const impulseNoise = (image: Raster, amount: number, random: Random): Raster =>
  mapValues(image, (value) => {
    const draw = random.uniform()
    if (draw >= amount) return value
    return draw < amount / 2 ? 0 : 1
  })

/**
 * The two hot loops of the grid worlds: what every agent sees, and numpy's random numbers.
 *
 * Nothing allocates and there is no data segment: the caller owns the memory and passes byte addresses.
 */
export { observe } from './observe'
export { moveObstacles } from './obstacles'
export { drawBounded, drawInterval, seedStream } from './pcg64'

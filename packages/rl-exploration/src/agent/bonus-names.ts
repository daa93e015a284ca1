/** Names of bonuses in reports: a second one of a kind is `rnd 2`. */
import type { Bonus } from '../bonuses/bonus'

export function bonusNames(bonuses: readonly Bonus[]): string[] {
  return bonuses.map(({ name }, k) => {
    const nth = bonuses.slice(0, k + 1).filter((bonus) => bonus.name === name).length
    return nth === 1 ? name : `${name} ${nth}`
  })
}

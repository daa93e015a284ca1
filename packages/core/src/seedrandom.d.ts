declare module 'seedrandom/lib/alea.js' {
  interface Alea {
    /** Uniform in [0, 1) with 53 bits. */
    double(): number
  }
  export default function alea(seed: string): Alea
}

/**
 * Numbers from a seed, so that a run can be repeated as far as the network allows.
 */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** From 0 to 1, by a linear congruence whose bits are mixed. */
  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    const mixed = Math.imul(this.state ^ (this.state >>> 15), 2246822519) >>> 0
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number, both ends included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  pick<A>(all: ReadonlyArray<A>): A {
    return all[this.between(0, all.length - 1)]
  }
}

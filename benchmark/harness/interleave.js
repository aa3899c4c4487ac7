/**
 * Measures contestants in rounds: A B C, B C A, C A B, … Every contestant is measured in every round, and none of them always
 * comes first.
 */
export const interleave = async (contestants, rounds, measure, onRound = () => {}) => {
  const values = new Map(contestants.map((contestant) => [contestant.id, []]))
  for (let round = 0; round < rounds; round++) {
    const start = round % contestants.length
    const order = [...contestants.slice(start), ...contestants.slice(0, start)]
    for (const contestant of order) values.get(contestant.id).push(await measure(contestant, round))
    onRound(round + 1, rounds)
  }
  return values
}

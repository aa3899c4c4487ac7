/**
 * Medians and spreads. On a shared machine the outliers all lie on one side; they distort a mean and a standard deviation,
 * but hardly the median and the quartiles.
 */
const sorted = (values) => [...values].sort((a, b) => a - b)

/** Interpolates linearly between the two nearest values, as R does by default. */
const quantile = (ascending, part) => {
  const at = (ascending.length - 1) * part
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return ascending[low] + (ascending[high] - ascending[low]) * (at - low)
}

export const median = (values) => quantile(sorted(values), 0.5)

/** What results.json holds for one measured quantity: every round's value stays visible. */
export const summary = (values) => {
  const ascending = sorted(values)
  return {
    median: quantile(ascending, 0.5),
    min: ascending[0],
    max: ascending[ascending.length - 1],
    q1: quantile(ascending, 0.25),
    q3: quantile(ascending, 0.75),
    rounds: values.length,
    values
  }
}

/** The summary of a[i] ÷ b[i]. Rounds are paired, so that whatever slowed down a whole round cancels out. */
export const ratio = (a, b) => summary(a.map((value, i) => value / b[i]))

/** The summary of a[i] − b[i], paired in the same way. */
export const difference = (a, b) => summary(a.map((value, i) => value - b[i]))

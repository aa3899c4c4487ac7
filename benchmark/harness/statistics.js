/**
 * Medians and spreads. A machine that others use too gives outliers to one side: the median and the quartiles stand them,
 * mean and deviation do not.
 */
const sorted = (values) => [...values].sort((a, b) => a - b)

/** Linear between the two nearest values, as R's default. */
const quantile = (ascending, part) => {
  const at = (ascending.length - 1) * part
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return ascending[low] + (ascending[high] - ascending[low]) * (at - low)
}

export const median = (values) => quantile(sorted(values), 0.5)

/** What is written into results.json for one measured quantity: every round's value stays visible. */
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

/** The summary of a[i] ÷ b[i]: rounds are paired, so that what slowed a whole round down cancels. */
export const ratio = (a, b) => summary(a.map((value, i) => value / b[i]))

/** The summary of a[i] − b[i], paired likewise. */
export const difference = (a, b) => summary(a.map((value, i) => value - b[i]))

// Newest: of answers that come in any order, only that to the last question counts.

/** Return a function that asks by `ask(...about)` and hands the answer to `take`, or what went wrong to `fail`, unless
 *  it was called again meanwhile. */
export function newestOf(ask, take, fail) {
  let turn = 0;
  return async (...about) => {
    const mine = ++turn;
    const [next, found] = await ask(...about).then((answer) => [take, answer], (error) => [fail, error]);
    if (mine === turn) next(found);
  };
}

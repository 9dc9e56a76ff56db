// From logits to probabilities, and to characters.

export function softmax(logits, temperature = 1) {
  const largest = logits.reduce((one, other) => Math.max(one, other), -Infinity);
  const parts = Array.from(logits, (it) => Math.exp((it - largest) / temperature));
  const sum = parts.reduce((one, other) => one + other, 0);
  return parts.map((it) => it / sum);
}

// Draw a character's number, never 0, the unknown character.
//   dice: a number from 0 to below 1.
export function draw(logits, temperature, dice) {
  const known = softmax(logits.slice(1), temperature);
  let rest = dice;
  const place = known.findIndex((it) => (rest -= it) < 0);
  return 1 + (place < 0 ? known.length - 1 : place);
}

// Return a generator of random numbers from 0 to below 1 (Mulberry32): the
// same numbers for the same seed.
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let it = Math.imul(state ^ (state >>> 15), state | 1);
    it ^= it + Math.imul(it ^ (it >>> 7), it | 61);
    return ((it ^ (it >>> 14)) >>> 0) / 4294967296;
  };
}
